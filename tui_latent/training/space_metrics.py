"""What an evaluation says about the held-out latents alone: how much of the space they use."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tui_latent.metrics.collapse import (
    FIGURES,
    PROJECTED,
    collapse_signs,
    projection_signs,
    space_figures,
    why_no_figures,
)


def measure_space(
    queries: Tensor,
    projection: Tensor | None,
    not_finite: str,
    metrics: dict[str, float],
    missing: dict[str, str],
) -> None:
    """Put the figures of the held-out latents into `metrics`, or why not into `missing`.

    A collapse of their projection, which the loss sees, is one too: nothing is learnt from it.
    """
    names = (*FIGURES, *(PROJECTED if projection is not None else ()))
    if why := why_no_figures(len(queries)) or not_finite:
        missing |= {f"latent/{name}": why for name in (*names, "collapsed")}
        return
    figures = space_figures(queries)
    signs = collapse_signs(figures, min(queries.shape))
    metrics |= {f"latent/{name}": value for name, value in figures.items()}
    if projection is not None:
        seen = space_figures(projection)
        signs += projection_signs(figures, seen)
        metrics |= {f"latent/{name}": seen[figure] for name, figure in PROJECTED.items()}
    metrics["latent/collapsed"] = float(bool(signs))


def not_finite_splits(splits: Mapping[str, Tensor]) -> dict[str, str]:
    """Return a sentence for each split, by name, that has latents which are not finite."""
    # All in one transfer: each would wait for the device.
    counts = torch.stack([(~z.isfinite()).any(1).sum() for z in splits.values()]).tolist()
    return {
        name: f"the latents of {broken:,} of {len(splits[name]):,} {name} images are not finite: "
        "training has diverged"
        for name, broken in zip(splits, counts, strict=True)
        if broken
    }
