"""Where latents lie on a run's newest map, in the coordinates it is shown in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.inspection.errors import InspectionError
from tui_latent.inspection.source import RunSource
from tui_latent.procrustes import align
from tui_latent.records.map_folder import MapFolder
from tui_latent.records.schema import LatentMap

if TYPE_CHECKING:
    from torch import Tensor

_FIT: Final = 0.02
"""a map that was made of the latents is met within this share of its size; float16 is finer"""


class NewestMap:
    """Puts latents on the newest map of one run; needs no images. Every call may raise."""

    def __init__(self, source: RunSource) -> None:
        self._source = source
        self._maps = MapFolder(source.path)

    def place(self, latents: NDArray[np.floating]) -> tuple[LatentMap, NDArray[np.float64]]:
        """Return the map, and where latents (N, D) lie on it: (N, 2).

        InspectionError when there is no map, or none of the newest latents.
        """
        _, newest = self._maps.refresh(None)
        if newest is None:
            raise InspectionError(f"{self._source.path.name} has no map that can be read")
        queries = self._source.latents().queries
        return newest.map, on_map(queries, newest.map, latents)


def on_map(
    queries: Tensor, latent_map: LatentMap, latents: NDArray[np.floating]
) -> NDArray[np.float64]:
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
    asked = (np.asarray(latents, np.float64) - centre) @ plane
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
