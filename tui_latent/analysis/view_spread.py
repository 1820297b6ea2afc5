"""Where the augmented views of one image land on the map, and how wide they spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.cache import Cache
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import views_of
from tui_latent.analysis.latent_stats import finite
from tui_latent.analysis.map_projection import NewestMap
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import RunLatents
from tui_latent.runs.schema import LatentMap

NEIGHBOUR: Final = 20
"""the radius of views is compared with the distance to this neighbour, the last that votes"""
_SAMPLED: Final = 1000
"""held-out images that give the usual distance; the sampling changes its median by about 3 %"""


@dataclass(frozen=True, eq=False)
class ViewSpread:
    """One held-out image and random views of it, embedded by the newest weights."""

    index: int
    map: LatentMap
    """the newest map of the run"""
    original: NDArray[np.float64]
    """(2,) of the image itself, in the map's coordinates"""
    points: NDArray[np.float64]
    """(views, 2) in the map's coordinates"""
    distances: NDArray[np.float64]
    """(views,) of each view from the image, Euclidean, in the full-width latent space"""
    labels: tuple[str, ...]
    """(views,) name of the class of the training image nearest to each view"""
    usual: float
    """median distance of a held-out image to its 20th neighbour, or the last of fewer"""
    neighbour: int
    """the number of that neighbour"""
    weights_step: int
    """step of the weights; the map may be of another"""

    @property
    def radius(self) -> float:
        """Distance from the image within which nine of ten views land; NaN without views."""
        return float(np.quantile(self.distances, 0.9)) if len(self.distances) else float("nan")


class ViewSpreads:
    """Embeds views of a run's images; the first call takes seconds.

    Every call may raise InspectionError.
    """

    def __init__(self, source: RunData) -> None:
        self.source = source
        self._newest_map = NewestMap(source)
        self._usual: Cache[tuple[float, int]] = Cache(_usual_distance)

    def land(self, index: int, views: int, seed: int) -> ViewSpread:
        """Embed the views of an image that `augmentations` shows with the same seed."""
        import torch

        preset = self.source.own_preset()
        if preset.data.inputs != "raw":
            raise InspectionError(
                f"{preset.data.inputs} features are computed from images, not from augmented views"
            )
        dataset = self.source.dataset()
        self.source.require(index, dataset.val)
        latents = self.source.matching_latents()
        model = self.source.model()
        drawn = views_of(dataset.val, [index], preset.augment, views, seed)[0]
        with torch.inference_mode():
            embedded = model.method.embed(dataset.normalise(drawn)).float()
        if embedded.shape[1] != latents.bank.shape[1]:
            raise InspectionError(
                f"the newest weights, of step {model.step:,}, and the newest latents are of "
                "different stages: try again after the next checkpoint"
            )
        try:
            _, rows = latents.search.nearest(embedded[1:], 1)
            usual, neighbour = self._usual.of(latents)
        except ValueError as error:
            raise InspectionError(f"{latents.path}: {error}") from error
        latent_map, points = self._newest_map.place(embedded.numpy())
        return ViewSpread(
            index=index,
            map=latent_map,
            original=points[0],
            points=points[1:],
            distances=(embedded[1:] - embedded[0]).double().norm(dim=1).numpy(),
            labels=self.source.pictures("train").names(rows[:, 0].numpy()),
            usual=usual,
            neighbour=neighbour,
            weights_step=model.step,
        )


def _usual_distance(latents: RunLatents) -> tuple[float, int]:
    queries = finite(latents, latents.queries)
    neighbour = min(NEIGHBOUR, len(latents.bank))
    rows = np.linspace(0, len(queries) - 1, min(len(queries), _SAMPLED)).astype(int)
    distances, _ = latents.search.nearest(queries[rows], neighbour)
    return float(distances[:, -1].median()), neighbour
