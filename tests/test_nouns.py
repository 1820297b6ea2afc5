"""Numbers in sentences."""

from __future__ import annotations

import pytest

from tui_latent.nouns import counted, listed


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2000, "held-out image", "2,000 held-out images"),
        (1, "class", "1 class"),
        (3, "class", "3 classes"),
        (2, "process", "2 processes"),
    ],
)
def test_what_is_counted_agrees_with_its_number(count: int, noun: str, said: str) -> None:
    assert counted(count, noun) == said


@pytest.mark.parametrize(
    ("words", "said"), [(["3"], "3"), (["3", "5"], "3 and 5"), (["3", "5", "8"], "3, 5 and 8")]
)
def test_words_are_joined_as_a_sentence_joins_them(words: list[str], said: str) -> None:
    assert listed(words) == said
