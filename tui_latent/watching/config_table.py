"""What a loop says about itself, as values that the run's preset can hold."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, Final

from tui_latent.runtime.sanitize import plain_name, plain_text

_LARGEST: Final = 2**63
_DEEPEST: Final = 8


def table_of(config: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
    """Return a table of values that TOML knows; others become their text, None is left out."""
    named = ((plain_name(str(name)), _value(value, depth)) for name, value in config.items())
    return {name: value for name, value in named if value is not None}


def _value(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        return table_of(value, depth + 1)
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        items = (_value(item, depth + 1) for item in value)
        return [item for item in items if item is not None]
    if isinstance(value, str):
        return plain_text(value)
    try:
        whole = operator.index(value)
        return whole if abs(whole) < _LARGEST else str(whole)
    except TypeError:
        pass
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        return plain_text(str(value))
    return number if math.isfinite(number) else str(number)
