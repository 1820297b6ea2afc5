"""The documents' tables of keys: `make docs` writes them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, get_args

from tui_latent.tui.key import Key, phrase
from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import TOGETHER, key_label
from tui_latent.tui.verbs import VERBS, Topic

BEGIN: Final = "<!-- keys -->\n"
END: Final = "<!-- /keys -->\n"
_EVERYWHERE: Final = ("app.help", "app.quit")
"""named above the table"""
_QUESTIONS: Final = "Questions"
_INTRO: Final = """\
# Keys

One key has one meaning on every screen; letters differ by case. `?` explains the screen you are
on, `ctrl+p` finds an action by its name. This file is made from the bindings by `make docs`.

"""
_REMAPPING: Final = """
## By screen
Every key of each screen, with the id by which it is remapped.
"""


def key_table() -> str:
    """Return a Markdown table with the keys of every screen's footer."""
    lines = ["| screen | keys |", "|---|---|"]
    for screen, views in TOGETHER.items():
        keys: dict[tuple[str, str], list[str]] = {}
        listed = set(_EVERYWHERE)
        for row in (row for view in views for part in view for row in KEYMAP[part] if row.show):
            if row.id not in listed:
                listed.add(row.id)
                place = keys.setdefault((row.action.partition("(")[0], row.tooltip), [])
                label = f"`{row.display or key_label(row, {})}`"
                place += [label] * (label not in place)
        cells = [f"{' '.join(named)} {phrase(words)}" for (_, words), named in keys.items()]
        lines.append(f"| {screen} | {' · '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_key_table(text: str) -> str:
    """Return a text with the table between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{key_table()}{END}{after}"


def key_document() -> str:
    """Return the document of all keys: each meaning with its screens, then each screen."""
    return _INTRO + "\n".join(_topics()) + _REMAPPING + "\n".join(_screens())


def _topics() -> Iterable[str]:
    places = _places()
    for topic in get_args(Topic):
        meanings: dict[str, list[str]] = {}
        for verb in VERBS.values():
            if verb.topic == topic and verb.name in places:
                meanings.setdefault(verb.meaning, []).append(verb.name)
        if not meanings:
            continue
        yield f"## {topic}"
        if topic == _QUESTIONS:
            yield "Only inside a question, where no other key works."
            yield ""
        yield "| key | meaning | where |"
        yield "|---|---|---|"
        for meaning, names in meanings.items():
            found = dict.fromkeys(place for name in names for place in places[name])
            where = "all" if set(TOGETHER) <= set(found) else ", ".join(found)
            yield f"| {_written(VERBS[name].keys for name in names)} | {meaning} | {where} |"
        yield ""


def _screens() -> Iterable[str]:
    for screen, rows in _by_screen().items():
        yield f"\n### {screen.capitalize()}"
        yield "| key | what it does | id |"
        yield "|---|---|---|"
        actions: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            actions.setdefault((row.tooltip, row.id), []).append(row.keys)
        for (tooltip, key_id), keys in actions.items():
            yield f"| {_written(keys)} | {phrase(tooltip)} | `{key_id}` |"
    yield ""


def _by_screen() -> dict[str, list[Key]]:
    """Return the rows of every screen and dialog."""
    screens = {
        screen: list(dict.fromkeys(part for view in views for part in view))
        for screen, views in TOGETHER.items()
    }
    inside = {part for parts in screens.values() for part in parts}
    screens |= {part: [part] for part in KEYMAP if part not in inside}
    return {
        screen: [row for part in parts for row in KEYMAP[part]] for screen, parts in screens.items()
    }


def _places() -> dict[str, list[str]]:
    """Return the screens on which each verb has a key."""
    found: dict[str, list[str]] = {}
    for screen, rows in _by_screen().items():
        for verb in dict.fromkeys(row.verb for row in rows):
            places = TOGETHER if screen == "app" else [screen]
            found.setdefault(verb, []).extend(places)
    return {verb: list(dict.fromkeys(places)) for verb, places in found.items()}


def _written(keys: Iterable[str]) -> str:
    from textual.keys import _normalize_key_list, format_key

    names = [key for each in keys for key in _normalize_key_list(each).split(",")]
    return " ".join(f"`{format_key(name)}`" for name in dict.fromkeys(names))


if __name__ == "__main__":
    readme, document = map(Path, sys.argv[1:])
    readme.write_text(with_key_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
    document.write_text(key_document(), encoding="utf-8")
