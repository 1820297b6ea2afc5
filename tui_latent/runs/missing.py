"""Metrics that an evaluation could not give a meaning to, and the reasons, in words."""

from __future__ import annotations

from collections.abc import Mapping

from tui_latent.runs.metric_specs import spec_of


def metric_label(metric: str) -> str:
    """Return what a held-out metric is called in a sentence: `kNN@20`, `effective rank`."""
    spec = spec_of(metric)
    return spec.title if spec.group == "space" else spec.short


def missing_lines(missing: Mapping[str, str]) -> list[str]:
    """Return a line for each reason, with the metrics that are missing for it before it."""
    metrics: dict[str, list[str]] = {}
    for metric, reason in missing.items():
        metrics.setdefault(reason, []).append(metric_label(metric))
    return [f"{', '.join(names)}: {reason}" for reason, names in metrics.items()]
