"""Choose points by what a table says about them: `age>60 site=A`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.near_names import near_names
from tui_latent.sources.files.columns import Column

_PLAIN: Final = r"""[^\s"<>=!:]+"""
_REST: Final = r"""\s*(?P<sign>>=|<=|!=|>|<|=|:)\s*(?:"(?P<quoted>[^"]*)"|(?P<value>\S*))(?=\s|$)"""
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class ConditionError(ValueError):
    """A condition that cannot be understood; the message says why."""


def is_condition(text: str, columns: Sequence[Column] = ()) -> bool:
    """Return whether a text looks like conditions, `column=value`, and not like a name."""
    return _pattern(columns).match(text) is not None


def matching(text: str, columns: Sequence[Column]) -> NDArray[np.bool_]:
    """Return which points (N,) match all conditions of a text; ConditionError if it is wrong.

    A condition is a column's name (in any case), a sign (= != > >= < <=, or : for a part of a
    text) and a value. Spaces need double quotes, except in the whole name of a column and in the
    whole text of a cell. `column=` alone chooses the points without a value; other conditions
    never choose them.
    """
    if not columns:
        raise ConditionError("This run has no columns: its images did not come from a table.")
    found = np.ones(len(columns[0]), np.bool_)
    pattern, at, end = _pattern(columns), 0, len(text.rstrip())
    while at < end:
        term = pattern.match(text, at)
        if term is None:
            rest = text[at:].strip()
            raise ConditionError(f"“{rest}” is not a condition: write column=value.")
        column, at = _column(term["quoted_name"] or term["name"], columns), term.end()
        value = term["quoted"]
        if value is None:
            value = _whole_text(column, text, term.start("value")) or term["value"]
            at = term.start("value") + len(value)
        found &= _matches(column, term["sign"], value)
    return found


def _pattern(columns: Sequence[Column]) -> re.Pattern[str]:
    """Return the pattern of one condition; names of columns come first, the longest before all."""
    odd = {column.name for column in columns if not re.fullmatch(_PLAIN, column.name)}
    names = "|".join([*map(re.escape, sorted(odd, key=len, reverse=True)), _PLAIN])
    return re.compile(rf"""\s*(?:"(?P<quoted_name>[^"]+)"|(?P<name>{names})){_REST}""", re.I)


def _whole_text(column: Column, text: str, at: int) -> str:
    """Return the longest text of a cell that is written at a place; empty if there is none."""
    found = [
        text[at : at + len(cell)]
        for cell in column.texts
        if text[at : at + len(cell)].casefold() == cell.casefold()
        and not text[at + len(cell) : at + len(cell) + 1].strip()
    ]
    return max(found, key=len, default="")


def _column(name: str, columns: Sequence[Column]) -> Column:
    by_name = {column.name.casefold(): column for column in reversed(columns)}
    if name.casefold() in by_name:
        return by_name[name.casefold()]
    close = near_names(name, by_name)
    hint = f"Did you mean “{by_name[close[0]].name}”?" if close else ""
    names = ", ".join(column.name for column in columns[:8])
    raise ConditionError(f"There is no column “{name}”. {hint or f'There are {names}.'}")


def _matches(column: Column, sign: str, value: str) -> NDArray[np.bool_]:
    missing = column.missing
    if not value:
        if sign not in ("=", ":", "!="):
            raise ConditionError(f"{column.name}{sign} needs a value after it.")
        return ~missing if sign == "!=" else missing
    if column.numbers is None:
        return _texts_match(column, sign, value) & ~missing
    try:
        number = float(value.replace(",", "."))
    except ValueError as error:
        wrong = f"“{value}” is not a number, and {column.name} contains numbers."
        raise ConditionError(wrong) from error
    with np.errstate(invalid="ignore"):
        if sign in _ORDER:
            return np.asarray(_ORDER[sign](column.numbers, number), np.bool_)
        same = np.asarray(column.numbers == number, np.bool_)
    return ~same & ~missing if sign == "!=" else same


def _texts_match(column: Column, sign: str, value: str) -> NDArray[np.bool_]:
    if sign in _ORDER:
        raise ConditionError(f"{column.name} contains text: write {column.name}=value.")
    wanted = value.casefold()
    texts = [text.casefold() for text in column.texts]
    chosen = [wanted in text if sign == ":" else text == wanted for text in texts]
    if not any(chosen):
        close = near_names(wanted, texts)
        hint = f" Did you mean “{column.texts[texts.index(close[0])]}”?" if close else ""
        raise ConditionError(f"No image has “{value}” in {column.name}.{hint}")
    found = np.append(np.array(chosen), False)[column.codes]
    return ~found if sign == "!=" else found
