"""Numbers in sentences."""

from __future__ import annotations

import pytest

from tui_latent.nouns import counted


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
