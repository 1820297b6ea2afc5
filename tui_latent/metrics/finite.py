"""Latents that are not finite are refused."""

from __future__ import annotations

import torch
from torch import Tensor

from tui_latent.metrics.chunks import row_blocks


def require_finite(what: str, latents: Tensor) -> None:
    """ValueError if a row of (N, D) latents is not finite; `what` names them."""
    broken = _not_finite(latents) if latents.device.type == "cpu" else _not_finite_on_gpu(latents)
    if broken:
        raise ValueError(
            f"{broken:,} of {len(latents):,} {what} latents are not finite: training has diverged"
        )


def _not_finite(latents: Tensor) -> int:
    """Count the rows that are not finite, among those whose sum is not (a sum may also
    overflow)."""
    broken = 0
    for rows in row_blocks(latents):
        odd = ~torch.isfinite(latents[rows].sum(1))
        if bool(odd.any()):
            broken += int((~torch.isfinite(latents[rows][odd])).any(1).sum())
    return broken


def _not_finite_on_gpu(latents: Tensor) -> int:
    counts = [(~torch.isfinite(latents[rows])).any(1).sum() for rows in row_blocks(latents)]
    return int(torch.stack(counts).sum()) if counts else 0
