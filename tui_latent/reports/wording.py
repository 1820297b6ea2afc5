"""Numbers and spans of time as a report writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

UNKNOWN = "–"


def number(value: float | None) -> str:
    """Return a value with three significant digits; `–` when it is not known."""
    if value is None:
        return UNKNOWN
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}" if 0.000995 <= abs(value) < 999_500 else f"{value:.1e}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", "−")


def ticks(values: Sequence[float]) -> list[str]:
    """Return the labels of an axis: as many decimals for all as the longest takes."""
    texts = [f"{value:.6g}" for value in values]
    if not any("e" in text for text in texts):
        decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
        texts = [f"{value:,.{decimals}f}" for value in values]
    return [text.replace("-", "−") for text in texts]


def duration(seconds: float) -> str:
    """Return a span of time with its two largest units: `48 s`, `2 min 13 s`, `1 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"
