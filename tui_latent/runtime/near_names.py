"""Names that a person may have meant by one that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final

_LIKE: Final = 2 / 3
"""similarity of two spellings (difflib's ratio): one wrong letter of three, two of six"""
_SHORT: Final = 3
"""letters that a word or a beginning has at least, to stand for a longer name"""
_LONGEST: Final = 200
"""letters of a name that are compared"""


def near_names(name: str, known: Iterable[str], count: int = 1) -> list[str]:
    """Return up to `count` of the known names, the likeliest first; none if none is likely.

    A name is likely if it is spelt much like the given one, begins with it, has all of its words
    (`dim`, `latent_dim`) or only words of it (`loss_function`, `loss`), or if one consists of the
    other's initials (`learning_rate`, `lr`). Case, and what separates words, do not matter.
    """
    asked = _words(name)
    whole = "".join(asked)[:_LONGEST]
    if not whole:
        return []
    compared = difflib.SequenceMatcher(None, b=whole, autojunk=False)
    likely = []
    for other in dict.fromkeys(known):
        words = _words(other)
        joined = "".join(words)[:_LONGEST]
        compared.set_seq1(joined)
        spelt = compared.quick_ratio() >= _LIKE and compared.ratio() >= _LIKE
        begun = len(whole) >= _SHORT and joined.startswith(whole)
        if spelt or begun or _share_words(asked, words) or _initials(asked, words):
            likely.append((compared.ratio(), other))
    likely.sort(key=lambda pair: -pair[0])
    return [other for _, other in likely[:count]]


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def _share_words(one: Sequence[str], other: Sequence[str]) -> bool:
    fewer = min(set(one), set(other), key=len)
    return set(one) & set(other) == fewer and any(len(word) >= _SHORT for word in fewer)


def _initials(one: Sequence[str], other: Sequence[str]) -> bool:
    few, many = sorted((one, other), key=len)
    return len(few) == 1 < len(many) and few[0] == "".join(word[0] for word in many)
