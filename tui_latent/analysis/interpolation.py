"""Linear interpolation between two images in the latent space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.decoding import RunDecoder, no_decoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.latent_stats import finite
from tui_latent.analysis.run_data import RunData


@dataclass(frozen=True, eq=False)
class Walk:
    """Latents at equal steps between those of two held-out images, including both ends."""

    start: int
    end: int
    latents: NDArray[np.float32]
    """(steps, D)"""
    images: NDArray[np.uint8]
    """(steps, H, W, C): decoded, or the nearest images if the method has no decoder"""
    decoded: bool
    nearest: NDArray[np.int64]
    """(steps,) training image whose latent is nearest"""
    distances: NDArray[np.float64]
    """(steps,) to that latent, Euclidean"""
    labels: tuple[str, ...]
    """(steps,) names of the classes of the nearest training images"""
    length: float
    """from end to end, Euclidean"""


def walk(source: RunData, start: int, end: int, steps: int) -> Walk:
    """Walk from held-out image `start` to `end` in `steps` latents, at least 2.

    InspectionError if there is no such image, or latents are missing or not finite.
    """
    import torch

    held_out, training = source.pictures("val"), source.pictures("train")
    for index in (start, end):
        source.require(index, held_out)
    latents = source.matching_latents()
    ends = finite(latents, latents.queries)[[start, end]].double()
    shares = torch.linspace(0, 1, max(steps, 2), dtype=torch.float64)[:, None]
    way = ((1 - shares) * ends[0] + shares * ends[1]).float()
    try:
        distances, rows = latents.search.nearest(way, 1)
    except ValueError as error:
        raise InspectionError(f"{latents.path}: {error}") from error
    nearest = rows[:, 0]
    decodes = not no_decoder(source.preset)
    return Walk(
        start=start,
        end=end,
        latents=way.numpy(),
        images=RunDecoder(source).decode(way.numpy())
        if decodes
        else training.images(nearest.numpy()),
        decoded=decodes,
        nearest=nearest.numpy(),
        distances=distances[:, 0].double().numpy(),
        labels=training.names(nearest.numpy()),
        length=float((ends[1] - ends[0]).norm()),
    )
