"""The names that other packages give to metrics, as this one writes them."""

from __future__ import annotations

from typing import Final

_SPLITS: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
}


def metric_name(name: str, split: str) -> str:
    """Return `val/loss` for `val_loss`, `valid/loss` or `eval_loss`; `split/name` for others."""
    for separator in ("/", "_"):
        first, found, rest = name.partition(separator)
        if found and rest and first in _SPLITS:
            return f"{_SPLITS[first]}/{rest}"
    return name if "/" in name else f"{split}/{name}"
