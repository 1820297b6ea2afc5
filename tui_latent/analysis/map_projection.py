"""Where latents lie on a run's newest map, in its own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import RunLatents
from tui_latent.procrustes import align
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.schema import LatentMap

if TYPE_CHECKING:
    from torch import Tensor

_FIT: Final = 0.02
"""how far a map may be from the plane of its latents, as a share of its size; float16 is finer"""


class NewestMap:
    """Puts latents on the newest map of one run; needs no images.

    Not thread-safe. Every call may raise InspectionError.
    """

    def __init__(self, source: RunData) -> None:
        self._source = source
        self._maps = MapFolder(source.path)
        self._known: tuple[RunLatents, LatentMap, MapPlane] | None = None

    def place(self, latents: NDArray[np.floating]) -> tuple[LatentMap, NDArray[np.float64]]:
        """Return the map, and where latents (N, D) lie on it: (N, 2).

        InspectionError if there is no map, or it is not of the newest latents.
        """
        _, newest = self._maps.refresh(None)
        if newest is None:
            raise InspectionError(f"{self._source.path.name} has no map that can be read")
        now = self._source.latents()
        if self._known is None or self._known[0] is not now or self._known[1] is not newest.map:
            self._known = now, newest.map, MapPlane.of(now.queries, newest.map)
        return newest.map, self._known[2].place(latents)


@dataclass(frozen=True, eq=False)
class MapPlane:
    """The plane of a map in the latent space: through the centre, turned and shifted."""

    centre: NDArray[np.float64]
    """(D,) of the latents"""
    directions: NDArray[np.float64]
    """(D, 2)"""
    middle: NDArray[np.float64]
    """(2,) where the centre lies on the map"""

    @classmethod
    def of(cls, queries: Tensor, latent_map: LatentMap) -> MapPlane:
        """Find the plane in which the map shows `queries` (M, D).

        It is the plane of their largest variance, or the whole space if it is 2-D, aligned to the
        map before; the alignment is found from the stored points. InspectionError if the map is
        not of these latents.
        """
        known = queries.double().numpy()
        shown = latent_map.points.astype(np.float64)
        if len(known) != len(shown):
            raise InspectionError("the newest map does not belong to the newest latents")
        counted = np.isfinite(known).all(axis=1) & np.isfinite(shown).all(axis=1)
        if not counted.any():
            raise InspectionError("no latent of this map is finite: training has diverged")
        centre = known[counted].mean(axis=0)
        plane = _plane(known[counted] - centre)
        # Rows without a reference do not count in the alignment, but are turned with the others.
        axes = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        flat = np.concatenate([(known - centre) @ plane, axes])
        aligned = align(flat, np.concatenate([shown, np.full_like(axes, np.nan)]))
        _refuse_another(aligned[: len(shown)][counted], shown[counted])
        middle, *ends = aligned[len(shown) :]
        return cls(centre, plane @ (np.array(ends) - middle), middle)

    def place(self, latents: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where latents (N, D) lie on the map: (N, 2); not finite if the latent is not."""
        return (np.asarray(latents, np.float64) - self.centre) @ self.directions + self.middle


def _refuse_another(made: NDArray[np.float64], shown: NDArray[np.float64]) -> None:
    size = np.linalg.norm(shown - shown.mean(axis=0), axis=1).mean()
    missed = np.linalg.norm(made - shown, axis=1).mean()
    if missed > _FIT * size and missed > 1e-6:
        raise InspectionError(
            "the newest map and the newest latents are of different evaluations: try again"
        )


def _plane(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return two principal directions of (N, D) as columns: (D, 2); if D is 1, the second is 0."""
    dimensions = centred.shape[1]
    if dimensions == 2:
        return np.eye(2)
    if dimensions == 1:
        return np.array([[1.0, 0.0]])
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.asarray(vectors[:, :-3:-1])
