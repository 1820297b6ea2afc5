"""The images of a report: views of a few held-out images, and neighbours of one per class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis import InspectionError, Neighbours, RunInspector
from tui_latent.analysis.augmented import no_augmentation

COLUMNS: Final = 10
"""most classes or images side by side"""
NEIGHBOURS: Final = 5
SHEET_ROWS: Final = NEIGHBOURS + 1
"""an image and its neighbours below it; as many images have views"""
_VIEWS: Final = 7


@dataclass(frozen=True, eq=False)
class ViewSheet:
    """Held-out images with random views of each."""

    indices: tuple[int, ...]
    seed: int
    images: NDArray[np.uint8]
    """(rows, 1 + views, H, W, C), the original first"""


@dataclass(frozen=True, eq=False)
class Sample:
    """A held-out image and its neighbours."""

    label: str
    image: NDArray[np.uint8]
    """(H, W, C)"""
    neighbours: Neighbours


@dataclass(frozen=True, eq=False)
class Samples:
    """The images of a report; a text in their place says why there are none."""

    views: ViewSheet | str
    neighbours: tuple[Sample, ...] | str


def collect_samples(path: Path, classes: int, seed: int) -> Samples:
    """Collect the images of the run at `path`, whose dataset has `classes` classes."""
    try:
        inspector = RunInspector(path)
        sheet = _views(inspector, seed)
    except InspectionError as error:
        return Samples(str(error), str(error))
    try:
        return Samples(sheet, _neighbours(inspector, classes))
    except InspectionError as error:
        return Samples(sheet, str(error))


def _views(inspector: RunInspector, seed: int) -> ViewSheet | str:
    """Return random views of some images; the reason if each view would be the image itself."""
    if why := no_augmentation(inspector.source.preset):
        return why
    rows = inspector.examples(SHEET_ROWS)
    return ViewSheet(tuple(rows), seed, inspector.augmentations(rows, _VIEWS, seed))


def _neighbours(inspector: RunInspector, classes: int) -> tuple[Sample, ...]:
    """Return one image of each class, several if there are few classes, ten in all at most."""
    classes = max(classes, 1)
    if classes > COLUMNS:
        of_each = inspector.examples(classes)
        spread = np.linspace(0, len(of_each) - 1, COLUMNS).round().astype(int)
        indices = [of_each[position] for position in dict.fromkeys(spread.tolist())]
    else:
        in_turn = inspector.examples(COLUMNS // classes * classes)
        indices = [index for first in range(classes) for index in in_turn[first::classes]]
    return tuple(
        Sample(inspector.label(i), inspector.image(i), inspector.neighbours(i, NEIGHBOURS))
        for i in indices
    )
