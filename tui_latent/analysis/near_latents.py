"""The latents nearest to those of held-out images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_latents import RunLatents

if TYPE_CHECKING:
    from torch import Tensor


def voters(latents: RunLatents) -> int:
    """Return how many latents neighbours are chosen from."""
    return max(len(latents.bank) - latents.bank_is_queries, 0)


def nearest_latents(latents: RunLatents, rows: NDArray[np.int64], k: int) -> tuple[Tensor, Tensor]:
    """Return the k nearest rows of the bank for held-out images, or all if there are fewer.

    Distances float32 (n, k) and rows int64 (n, k), nearest first. Where the bank is the held-out
    latents themselves, each image is left out of its own neighbours. InspectionError if there is
    none to choose, or a latent is not finite.
    """
    import torch

    from tui_latent.metrics.others import nearest_others

    k = min(k, voters(latents))
    if k < 1:
        raise InspectionError(f"{latents.path}: there is no other latent to choose neighbours from")
    picked = torch.from_numpy(np.asarray(rows, np.int64))
    try:
        if latents.bank_is_queries:
            return nearest_others(latents.search, latents.queries[picked], picked, k)
        return latents.search.nearest(latents.queries[picked], k)
    except ValueError as error:
        raise InspectionError(f"{latents.path}: {error}") from error
