"""Numbers and durations in reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui_latent import number_format

UNKNOWN: Final = number_format.UNKNOWN


def number(value: float | None) -> str:
    """Return a value with three significant digits and a typographic minus."""
    return number_format.number(value).replace("-", "−")


def ticks(values: Sequence[float]) -> list[str]:
    """Return the labels of an axis: as many decimals for all as the longest takes."""
    texts = [f"{value:.6g}" for value in values]
    if not any("e" in text for text in texts):
        decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
        texts = [f"{value:,.{decimals}f}" for value in values]
    return [text.replace("-", "−") for text in texts]


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `48 s`, `2 min 13 s`, `1 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"
