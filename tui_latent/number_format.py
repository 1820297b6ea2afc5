"""How numbers are written on screens, in reports and in tables: three significant digits."""

from __future__ import annotations

import math
from typing import Final

UNKNOWN: Final = "–"


def number(value: float | None, digits: int = 3) -> str:
    """Return a value with `digits` significant digits, as in prose: `0.962`, `1,234`, `1.2e-5`."""
    if value is None or not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    size = abs(value)
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{value:,.{decimals}f}" if 0.000995 <= size < 999_500 else _scientific(value)


def short_number(value: float | None, scientific: bool = True) -> str:
    """Return a value for a narrow table cell: three digits, no zero before the point (`.962`).

    It takes at most seven cells. Without `scientific`, very small values become `.000`.
    """
    if value is None or not math.isfinite(value):
        return _not_finite(value)
    size = abs(value)
    if scientific and size == 0:
        return "0"
    if scientific and (size >= 99_950 or size < 0.0009995):
        return _scientific(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    if size >= 0.9995:
        return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"
    return without_zero(f"{value:.3f}")


def difference(value: float, largest: float) -> str:
    """Return a signed difference, to the decimals that `largest` has with three digits."""
    decimals = 2 - math.floor(math.log10(largest)) if largest else 0
    text = f"{value:+,.{max(decimals, 0)}f}" if decimals < 6 else f"{value:+.1e}"
    text = text.replace("e-0", "e-")
    return text if float(text.replace(",", "")) else "±0"


def without_zero(text: str) -> str:
    """Return a written number without the zero before its point: `.5`, `-.5`, `+.5`."""
    sign = text[:1] if text[:1] in ("-", "+") else ""
    size = text[len(sign) :]
    return sign + (size[1:] if size.startswith("0.") else size)


def _not_finite(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"


def _scientific(value: float) -> str:
    return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
