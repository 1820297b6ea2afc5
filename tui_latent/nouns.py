"""Nouns in sentences: what is counted, and what the things are called whose latents a run has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


def counted(count: int, noun: str) -> str:
    """Return a number with what it counts: `1 row`, `2,000 rows`, `3 classes`."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"


def listed(words: Sequence[str]) -> str:
    """Join words for a sentence: `3, 5 and 8`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


class Nouns(NamedTuple):
    """Nouns in the singular; an `s` makes the plural."""

    image: str
    """any of them"""
    held_out: str
    """one that is measured"""
    training: str
    """one that votes on those that are measured"""

    def voters(self, among_themselves: bool) -> str:
        """Return the candidates for neighbours in words: other held-out ones, or training ones."""
        return f"other {self.held_out}s" if among_themselves else f"{self.training}s"


IMAGES: Final = Nouns("image", "held-out image", "training image")
VECTORS: Final = Nouns("vector", "vector", "other vector")
"""vectors from a file need not be of images, and none of them is held out"""
