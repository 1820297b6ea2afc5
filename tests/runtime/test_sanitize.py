from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runtime.sanitize import plain_line, plain_name, plain_text, plain_values


@given(st.text())
def test_a_plain_name_is_printable_and_no_longer_than_allowed(text: str) -> None:
    plain = plain_name(text, longest=20)
    assert plain.isprintable() and len(plain) <= 20
    assert plain_name(plain, longest=20) == plain
    if text.isprintable() and len(text) <= 20:
        assert plain == text


@pytest.mark.parametrize("text", ["", "[red]x[/]", "猫 é ß", "a" * 200])
def test_what_does_no_harm_stays(text: str) -> None:
    assert plain_name(text) == text


def test_a_long_name_keeps_both_ends() -> None:
    plain = plain_name("begin" + "x" * 10_000 + "end")
    assert plain.startswith("beginx") and plain.endswith("xend") and len(plain) == 200


@given(st.text())
def test_a_plain_line_has_nothing_that_moves_turns_or_hides(text: str) -> None:
    for character in plain_line(text):
        assert unicodedata.category(character) not in ("Cc", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            *("RLE", "LRE", "PDF", "RLO", "LRO"),
            *("RLI", "LRI", "FSI", "PDI"),
        )


def test_a_message_keeps_its_lines_and_a_table_its_shape() -> None:
    assert plain_text("one\x1b[2J\ntwo") == "one�[2J\ntwo"
    table = {"a\x1b": ["b\u202e", 3, {"c": None}], "d": 1.5}
    assert plain_values(table) == {"a�": ["b�", 3, {"c": None}], "d": 1.5}
