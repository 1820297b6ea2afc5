"""Text in lines: as `textwrap` for narrow characters, and by cells for wide ones."""

from __future__ import annotations

import random
import textwrap
from itertools import product

from rich.cells import cell_len

from tui_latent.tui.format import clip, column
from tui_latent.tui.wrapping import break_words, wrap


def some_text(letters: str, seed: int) -> str:
    chance = random.Random(seed)
    words = [
        "".join(chance.choice(letters) for _ in range(chance.randint(1, 9)))
        for _ in range(chance.randint(0, 12))
    ]
    return "".join(word + " " * chance.choice((1, 1, 1, 3)) for word in words).rstrip()


def test_narrow_text_is_wrapped_as_by_textwrap() -> None:
    for text in (some_text("abcde", seed) for seed in range(200)):
        for width in (9, 14, 30):
            assert wrap(text, width) == textwrap.wrap(text, width)
        for width in (14, 30):  # in less, a word and its indent have no room
            assert wrap(text, width, "  ") == textwrap.wrap(text, width, subsequent_indent="  ")


def test_no_line_is_wider_than_its_room_and_nothing_is_lost() -> None:
    for text, width in product((some_text("ab猫-/é🐟._", seed) for seed in range(200)), (4, 7, 20)):
        lines = wrap(text, width, " ")
        assert all(cell_len(line) <= width for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        broken = break_words(text, width)
        assert broken.replace("\n", "") == text
        assert all(cell_len(word) <= width for word in broken.split())
        short = wrap(text, width, most=2)
        assert len(short) <= 2 and all(cell_len(line) <= width for line in short)
        assert short == wrap(text, width) or short[-1].endswith(" …")


def test_long_words_break_after_their_signs() -> None:
    assert wrap("set train.batch_size=512 twice", 12) == [
        "set",
        "train.batch_",
        "size=512",
        "twice",
    ]
    assert break_words("/a/folder/with-a-long-name.toml", 14) == (
        "/a/folder/\nwith-a-long-\nname.toml"
    )


def test_tabs_and_aligned_columns_of_a_log_stay() -> None:
    assert wrap("step 7  loss   2.5", 40) == ["step 7  loss   2.5"]
    assert wrap("a\tb", 40) == ["a       b"]
    assert wrap("", 40) == [] and wrap("   ", 40) == []


def test_wide_names_are_cut_in_their_middle_and_say_so() -> None:
    for name in ("日本語のとても長いクラス名", "🐟🐟🐟🐟🐟🐟 fish", "猫cat猫cat猫cat"):
        for width in (4, 7, 11):
            cut = clip(name, width)
            assert cell_len(cut) <= width and "…" in cut
            assert name.startswith(cut.partition("…")[0])
            assert name.endswith(cut.partition("…")[2])
            assert cell_len(column(name, width)) == width
