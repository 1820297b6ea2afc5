"""What stands for the inspection of a run in tests of the viewer: images and places known ahead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.tui.made_runs import clusters
from tui_latent import analysis
from tui_latent.analysis.class_extremes import RankedImages
from tui_latent.analysis.view_spread import ViewSpread

IMAGES = 30


class KnownImages:
    """Stands for `RunInspector`: image n is n everywhere, a view of it n + 50 + seed."""

    def __init__(self, path: Path, source: object = None) -> None:
        self.path = path

    def held_out_size(self) -> int:
        return IMAGES

    def image(self, index: int) -> NDArray[np.uint8]:
        return np.full((8, 8, 1), index, np.uint8)

    def label(self, index: int) -> str:
        return "[red]" if index % 2 else "blue"

    def augmentations(self, indices: Sequence[int], views: int, seed: int) -> NDArray[np.uint8]:
        sheet = np.full((1, 1 + views, 8, 8, 1), indices[0] + 50 + seed, np.uint8)
        sheet[:, 0] = indices[0]
        return sheet

    def neighbours(self, index: int, k: int) -> analysis.Neighbours:
        labels = tuple("[red]" if n < 12 else "blue" for n in range(k))
        images = np.stack([np.full((8, 8, 1), 100 + n, np.uint8) for n in range(k)])
        distances = np.arange(k) / 4
        return analysis.Neighbours(index, np.arange(k), distances, labels, images)


class KnownLandings:
    """Stands for `ViewSpreads`: half of the views land 3 from the image, the others on it."""

    def __init__(self, source: object) -> None:
        pass

    def land(self, index: int, views: int, seed: int) -> ViewSpread:
        shown = clusters(200, 10)
        original = shown.points[index].astype(float)
        away = (np.arange(views) % 2 * 3).astype(np.float64)
        points = original + np.stack([away, 0 * away], axis=1)
        labels = tuple("[red]" if far else "blue" for far in away)
        return ViewSpread(index, shown, original, points, away, labels, 0.5, 20, 700)


def known_distant(source: object, index: int, k: int) -> RankedImages:
    images = np.stack([np.full((8, 8, 1), 200 + n, np.uint8) for n in range(k)])
    distances = (40 - np.arange(k)).astype(np.float64)
    return RankedImages(np.arange(k), distances, ("far",) * k, images)


class NothingThere(KnownImages):
    """Stands for the inspector of a run whose images are gone."""

    def held_out_size(self) -> int:
        raise analysis.InspectionError("mnist is not in /data: set TUI_LATENT_DATA")
