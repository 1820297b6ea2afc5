"""The values that `--grid` gives to a setting: a list of them, or a range to draw from."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui_latent.config.preset_files import PresetError
from tui_latent.config.setting_values import read_value, setting_kind, split_items

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SPAN: Final = re.compile(rf"(log:)?({_NUMBER})\.\.({_NUMBER})")
_DIGITS: Final = 4
"""significant digits of a drawn number, which its run's name contains"""


@dataclass(frozen=True)
class Span:
    """All numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    """whether each factor is as likely as any other, instead of each difference"""
    whole: bool = False
    """whether only whole numbers belong to it"""

    def number(self, value: float) -> float | int:
        """Return a number of the range as its settings take it."""
        return int(value) if self.whole else value

    def count(self) -> float:
        """Return how many numbers there are; infinity if they are not whole."""
        return int(self.high) - int(self.low) + 1 if self.whole else math.inf

    def draw(self, generator: random.Random) -> float | int:
        """Return a number of the range."""
        share = generator.random()
        if self.whole:  # each with the same part of the range
            return min(int(self._at(share, self.low, self.high + 1)), int(self.high))
        return self.rounded(self._at(share, self.low, self.high))

    def rounded(self, value: float) -> float:
        """Return a number of the range with few digits."""
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def _at(self, share: float, low: float, high: float) -> float:
        if self.log:
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        return low + share * (high - low)

    def __str__(self) -> str:
        return f"{'log:' if self.log else ''}{self.low:g}..{self.high:g}"


Choices = tuple[str, Sequence[object] | Span]
"""a setting's key, and its values"""


def parse_grid(text: str) -> Choices:
    """Read `key=v1,v2` or `key=low..high`; PresetError when it is neither.

    A value with commas is one in brackets; `log:low..high` draws by factors.
    """
    key, equals, values = text.partition("=")
    key = key.strip()
    if not equals or not values.strip() or not key:
        raise PresetError("--grid", [(text, "write key=v1,v2, as in method.latent_dim=2,3")])
    if (span := _SPAN.fullmatch(values.strip())) and setting_kind(key) in ("number", "other"):
        return key, _span(text, *span.groups())
    try:
        items = split_items(values)
    except ValueError as error:
        problem = f"{error}: put values that contain brackets or commas in quotes"
        raise PresetError("--grid", [(text, problem)]) from error
    if not all(items):
        problem = 'a value is empty: write "" for an empty text, and nothing after the last comma'
        raise PresetError("--grid", [(text, problem)])
    return key, [read_value(key, item) for item in items]


def _span(text: str, log: str | None, first: str, last: str) -> Span:
    low, high = float(first), float(last)
    whole = all(number.lstrip("+-").isdigit() for number in (first, last))
    if not low < high or not math.isfinite(high - low):
        problem = "the range is empty: write the smaller number first, as in 0.1..0.9"
        raise PresetError("--grid", [(text, problem)])
    if log and low <= 0:
        raise PresetError("--grid", [(text, "a range by factors (log:) must begin above 0")])
    return Span(low, high, bool(log), whole)
