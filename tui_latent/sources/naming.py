"""Names of classes: their order, and how to show names that are not plain text."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence

from tui_latent.runtime.sanitize import printable

LONGEST_CLASS = 200
"""characters of the name of a class"""
_MISSING = frozenset({"", "nan", "null"})
_NO_CLASS = _MISSING | {"-1"}
_WHOLE = re.compile(r"([-+]?\d{1,15})\.0+")
_NUMBER = re.compile(r"[-+]?\d{1,300}(?:[.,]\d{1,300})?")
_DIGITS = re.compile(r"(\d+)")


def class_of(text: str) -> str:
    """Return the class that a cell of a table names; empty if it says that there is none.

    `3.0` is class 3: tables write whole numbers so where some are missing, and those as `nan`.
    """
    text = _written(text)
    return "" if text.casefold() in _NO_CLASS else text


def classes_of(texts: Sequence[str]) -> list[str]:
    """Return the class that each cell of a column names, as `class_of` does.

    Where -1 and 1 are the only values, as classifiers of two classes have them, both are classes.
    """
    found = [_written(text) for text in texts]
    values = {text for text in found if text.casefold() not in _MISSING}
    if values in ({"-1", "1"}, {"-1", "+1"}):
        return [text if text in values else "" for text in found]
    return [class_of(text) for text in found]


def _written(text: str) -> str:
    text = text.strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def is_measurement(text: str) -> bool:
    """Return whether a text is a number that is not whole, as measurements are and classes are
    not."""
    try:
        number = float(text)
    except ValueError:
        return False
    return math.isfinite(number) and not number.is_integer()


def natural_order(names: Iterable[str]) -> list[str]:
    """Sort names in natural order: numbers first and by value, then text, ignoring case.

    Examples: 1, 2, 10; img2 before img10. Digits of all scripts count.
    """
    return sorted(names, key=_natural)


def _natural(name: str) -> tuple[object, ...]:
    text = composed(name).casefold()
    if _NUMBER.fullmatch(text):
        return 0, float(text.replace(",", ".")), text, name
    # Splitting at digits makes text and numbers alternate, so that like is compared with like.
    parts = [int(p) if i % 2 else p for i, p in enumerate(_DIGITS.split(text))]
    return 1, parts, text, name


def shown_names(names: Sequence[str]) -> tuple[str, ...]:
    """Make folder names printable but still different from each other."""
    found: dict[str, None] = {}
    for name in names:
        text = plain = printable(os.fsencode(name).decode("utf-8", "backslashreplace"))
        number = 1
        while text in found:
            number += 1
            text = f"{plain} ({number})"
        found[text] = None
    return tuple(found)


def composed(name: str) -> str:
    """Return a name in Unicode normal form C; macOS stores names in form D."""
    return unicodedata.normalize("NFC", name)


def appearance(name: str) -> str:
    """Return what is left of a name without what is easily overlooked.

    Names that differ in case, in spaces, in invisible characters (or the sign that stands for
    them), or in the encoding of an accent or a digit have the same.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(
        c for c in text if not c.isspace() and c != "\ufffd" and unicodedata.category(c) != "Cf"
    )


def look_alike(names: Sequence[str]) -> list[str]:
    """Return the names that share their `appearance` with another name."""
    by_text: dict[str, list[str]] = {}
    for name in names:
        by_text.setdefault(appearance(name), []).append(name)
    return [name for same in by_text.values() if len(same) > 1 for name in same]
