"""The README's first ten minutes: each key that it names does something where it is pressed."""

from __future__ import annotations

import re
from pathlib import Path

from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import keys_of

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PRESSED = {
    "Understand the map": (("dashboard", "l"), ("explorer", "i"), ("explorer", "c")),
    "Find the worst confusion": (("dashboard", "t"),),
    "Change one thing": (
        ("presets", "e"),
        ("settings", "ctrl+f"),
        ("settings", "ctrl+s"),
        ("settings", "ctrl+w"),
    ),
    "Compare": (("runs", "m"), ("runs", "C")),
    "Report": (("comparison", "x"),),
}


def test_every_key_of_the_path_is_bound_on_its_screen() -> None:
    for step, keys in PRESSED.items():
        found = re.search(rf"\*\*{step}\.\*\*(.*)", README)
        assert found is not None, step
        named = set(re.findall(r"`([A-Za-z]|ctrl\+[a-z])`", found[1]))
        assert named == {key for _, key in keys}
        for part, key in keys:
            assert any(key in keys_of(row, {}) for row in KEYMAP[part]), (part, key)


def test_every_picture_of_the_path_is_drawn_by_the_command() -> None:
    from benchmarks.screenshot import pictures

    drawn = set(pictures(Path("one"), Path("two")))
    assert set(re.findall(r"!\[[^]]*\]\(docs/(\w+\.svg)\)", README)) == drawn
