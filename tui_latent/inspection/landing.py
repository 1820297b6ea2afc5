"""Where the augmented views of one image land on the map, and how wide they spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.inspection.errors import InspectionError
from tui_latent.inspection.images import views_of
from tui_latent.inspection.ranges import finite
from tui_latent.inspection.remembered import Remembered
from tui_latent.inspection.source import RunLatents, RunSource
from tui_latent.procrustes import align
from tui_latent.records.map_folder import MapFolder
from tui_latent.records.schema import LatentMap

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOUR: Final = 20
"""the radius of views is compared with the distance to this neighbour: the last that votes"""
_SAMPLED: Final = 1000
"""held-out images whose neighbours give the usual distance: its median moves by about 3 %"""
_FIT: Final = 0.02
"""a map that was made of the latents is met within this share of its size; float16 is finer"""


@dataclass(frozen=True, eq=False)
class Landing:
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
    """median distance of a held-out image to its 20th neighbour, of fewer images to its last"""
    neighbour: int
    """which neighbour that is"""
    weights_step: int
    """step of the weights; the map may be of another"""

    @property
    def radius(self) -> float:
        """Distance from the image within which nine of ten views land; NaN without views."""
        return float(np.quantile(self.distances, 0.9)) if len(self.distances) else float("nan")


class ViewLandings:
    """Embeds views of a run's images; the first call takes seconds.

    Every call may raise InspectionError.
    """

    def __init__(self, source: RunSource) -> None:
        self.source = source
        self._maps = MapFolder(source.path)
        self._usual: Remembered[tuple[float, int]] = Remembered(_usual_distance)

    def land(self, index: int, views: int, seed: int) -> Landing:
        """Embed the views that `augmentations` shows of an image with the same seed."""
        import torch

        if self.source.preset.data.inputs != "raw":
            raise InspectionError(
                f"this network sees {self.source.preset.data.inputs} features of the images "
                "as they are, not of views"
            )
        dataset = self.source.dataset()
        self.source.require(index, dataset.val)
        latents = self.source.matching_latents()
        _, newest = self._maps.refresh(None)
        if newest is None:
            raise InspectionError(f"{self.source.path.name} has no map that can be read")
        model = self.source.model()
        drawn = views_of(dataset.val, [index], self.source.preset.augment, views, seed)[0]
        with torch.inference_mode():
            embedded = model.method.embed(dataset.normalise(drawn)).float()
        try:
            _, rows = latents.search.nearest(embedded[1:], 1)
            usual, neighbour = self._usual.of(latents)
        except ValueError as error:
            raise InspectionError(f"{latents.path}: {error}") from error
        points = on_map(latents.queries, newest.map, embedded)
        names = dataset.train.class_names
        return Landing(
            index=index,
            map=newest.map,
            original=points[0],
            points=points[1:],
            distances=(embedded[1:] - embedded[0]).double().norm(dim=1).numpy(),
            labels=tuple(names[label] for label in dataset.train.labels[rows[:, 0]].tolist()),
            usual=usual,
            neighbour=neighbour,
            weights_step=model.step,
        )


def on_map(queries: Tensor, latent_map: LatentMap, latents: Tensor) -> NDArray[np.float64]:
    """Return where latents (N, D) lie on a map that was made of `queries` (M, D): (N, 2).

    The map is the latents' plane of largest variance (of two dimensions the whole of them),
    turned, mirrored and shifted onto the map before it; the stored points tell how. Points
    that are not finite come out so. InspectionError when the map is not of these latents.
    """
    known = queries.double().numpy()
    shown = latent_map.points.astype(np.float64)
    if len(known) != len(shown):
        raise InspectionError("the newest map is of other images than the newest latents")
    counted = np.isfinite(known).all(axis=1) & np.isfinite(shown).all(axis=1)
    if not counted.any():
        raise InspectionError("no latent of this map is finite: training has diverged")
    centre = known[counted].mean(axis=0)
    plane = _plane(known[counted] - centre)
    flat = (known - centre) @ plane
    asked = (latents.double().numpy() - centre) @ plane
    # Rows without a reference do not count in the alignment, but are turned with the others.
    unknown = np.full_like(asked, np.nan)
    aligned = align(np.concatenate([flat, asked]), np.concatenate([shown, unknown]))
    size = np.linalg.norm(shown[counted] - shown[counted].mean(axis=0), axis=1).mean()
    missed = np.linalg.norm(aligned[: len(shown)][counted] - shown[counted], axis=1).mean()
    if missed > _FIT * size and missed > 1e-6:
        raise InspectionError(
            "the newest map is of another evaluation than the newest latents: look again"
        )
    return np.asarray(aligned[len(shown) :], dtype=np.float64)


def _plane(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two principal directions of (N, D) as columns: (D, 2); zeros where D is 1."""
    dimensions = centred.shape[1]
    if dimensions == 2:
        return np.eye(2)
    if dimensions == 1:
        return np.array([[1.0, 0.0]])
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.asarray(vectors[:, :-3:-1])


def _usual_distance(latents: RunLatents) -> tuple[float, int]:
    queries = finite(latents, latents.queries)
    neighbour = min(NEIGHBOUR, len(latents.bank))
    rows = np.linspace(0, len(queries) - 1, min(len(queries), _SAMPLED)).astype(int)
    distances, _ = latents.search.nearest(queries[rows], neighbour)
    return float(distances[:, -1].median()), neighbour
