"""Which terms of the loss a report draws: the total, and those with a weight in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_NOT_TERMS: Final = frozenset({"loss", "lr", "images_per_second", "screen_share"})
"""what `train/` has beside the terms"""


def loss_terms(preset: Mapping[str, Any], metrics: Iterable[str]) -> list[str]:
    """Return `loss` and the recorded terms that count in it, in the order of their records."""
    parts = [metric.partition("/") for metric in metrics]
    recorded = dict.fromkeys(name for room, _, name in parts if room in ("train", "val"))
    trained = {name for room, _, name in parts if room == "train"} - _NOT_TERMS
    method = preset.get("method", {})
    terms = [name for name in recorded if name in trained and _weight(method, name) != 0]
    return (["loss"] if "loss" in recorded else []) + terms


def _weight(method: Mapping[str, Any], term: str) -> float:
    """Return something that is 0 where the method's settings leave the term out."""
    mixed = method.get("metric_weight")
    if mixed is not None and term in ("pairwise", "triplet"):
        return float(mixed)
    if mixed is not None and term == "reconstruction":
        return 1 - float(mixed)
    if term == "kl" and "beta" in method:
        return float(method["beta"])
    return float(method.get(f"{term}_weight", 1))
