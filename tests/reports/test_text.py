"""Text that fits and that the font can draw."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.reports.text import drawable, fit, name_to_fit, text_width, wrap

SIZE = 10.0


def test_what_the_font_has_is_kept_as_it_is() -> None:
    for text in ("[red]", "$\\alpha_1$", "ß é ñ Ж α", "a^b_c {0} %s", "‖ → · ×"):
        assert drawable(text) == text


def test_what_it_has_not_is_a_box_and_lines_become_one() -> None:
    assert drawable("猫 cat") == "□ cat"
    assert drawable("tab\tnew\nline \x1b[31m") == "tab new line □[31m"


@given(st.text(max_size=40))
def test_no_text_makes_the_font_complain(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert text_width(drawable(text), SIZE) >= 0


@given(st.text(max_size=80), st.floats(0.3, 3))
def test_a_fitted_text_fits(text: str, width: float) -> None:
    fitted = fit(text, width, SIZE)
    assert text_width(fitted, SIZE) <= width
    if fitted != drawable(text):
        head, _, tail = fitted.partition("…")
        assert drawable(text).startswith(head) and drawable(text).endswith(tail)


def test_a_short_text_is_left_alone_and_both_ends_of_a_long_one_stay() -> None:
    assert fit("cat", 1.0, SIZE) == "cat"
    shortened = fit("a class with a very long name, no. 12", 1.0, SIZE)
    assert shortened.startswith("a cl") and shortened.endswith("12")


def test_a_name_that_is_nothing_is_said() -> None:
    assert name_to_fit("", 2.0, SIZE) == "(no name)"
    assert name_to_fit(" \n", 2.0, SIZE) == "(no name)"
    assert name_to_fit("cat", 2.0, SIZE) == "cat"


@pytest.mark.parametrize("joint", [" ", " · "])
def test_wrapped_lines_fit_and_lose_nothing(joint: str) -> None:
    words = [f"word-{number}" for number in range(40)]
    lines = wrap(words, 3.0, SIZE, joint)
    assert len(lines) > 1
    assert all(text_width(line, SIZE) <= 3.0 for line in lines)
    assert [word for line in lines for word in line.split(joint)] == words
    assert wrap([], 3.0, SIZE) == []
