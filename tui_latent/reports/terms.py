"""Which terms of the loss a report draws: the total, and those with a weight in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tui_latent.runs.metric_specs import term_names


def loss_terms(preset: Mapping[str, Any], metrics: Iterable[str]) -> list[str]:
    """Return `loss` and the recorded terms that count in it, in the order of their records."""
    recorded = list(metrics)
    method = preset.get("method", {})
    terms = [name for name in term_names(recorded) if _weight(method, name) != 0]
    return (["loss"] if {"train/loss", "val/loss"} & set(recorded) else []) + terms


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
