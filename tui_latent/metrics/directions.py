"""Directions of latents: the points of the unit sphere that cosines compare."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def directions(latents: Tensor) -> Tensor:
    """Return latents (N, D), float, made of length 1 each: float32; those of length 0 stay 0.

    They are first divided by their largest number: squares of numbers above 1e19 or below 1e-19 are
    beyond float32, and the directions of such latents would all be 0.
    """
    wide = latents.detach().float()
    largest = wide.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    return normalize(wide / largest)
