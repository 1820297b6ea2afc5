"""Metrics that an evaluation could not give a meaning to, and the reasons, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_KNN: Final = re.compile(r"val/knn_(\d+)")


def metric_label(metric: str) -> str:
    """Return what a held-out metric is called in a sentence: `kNN@20`, `effective rank`."""
    if match := _KNN.fullmatch(metric):
        return f"kNN@{match[1]}"
    return metric.rpartition("/")[2].replace("_", " ")


def missing_lines(missing: Mapping[str, str]) -> list[str]:
    """Return a line for each reason, with the metrics that are missing for it before it."""
    metrics: dict[str, list[str]] = {}
    for metric, reason in missing.items():
        metrics.setdefault(reason, []).append(metric_label(metric))
    return [f"{', '.join(names)}: {reason}" for reason, names in metrics.items()]
