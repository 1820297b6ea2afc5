"""Two runs on the same held-out images, compared image by image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import RunLatents
from tui_latent.comparison import Comparison
from tui_latent.runs.latents_file import UNLABELLED

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.metrics.paired_shares import PairedShares

VOTERS: Final = 20
ASKED: Final = 5000
"""most held-out images whose votes are compared; if there are more, a sample of them is"""
COMPARED: Final = 2000
"""the same for spaces, whose neighbours are then those within the sample"""


@dataclass(frozen=True)
class PairedRun:
    """A run compared with the first one; what cannot be compared is None, with the reason."""

    accuracy: PairedShares | None = None
    """of kNN@20; its difference is this run's accuracy less the first's"""
    no_accuracy: str = ""
    cka: float | None = None
    """linear CKA of the latents: 1 for spaces that are the same up to rotation and scale"""
    overlap: float | None = None
    """share of the 20 nearest held-out images that both latent spaces have in common"""
    chance: float | None = None
    """overlap of unrelated spaces"""
    no_space: str = ""


def paired_runs(
    shown: Comparison, on_progress: Callable[[str], None] = lambda _: None
) -> tuple[PairedRun, ...]:
    """Compare each run but the first with the first one, in their order; takes seconds."""
    first = _Read(shown.runs[0].path)
    found = []
    for index in range(1, len(shown.runs)):
        on_progress(f"comparing {shown.labels[index]} with {shown.labels[0]}, image by image")
        if shown.maps[0].map is None or shown.maps[index].onto != 0:
            why = (shown.maps[index].problem or shown.maps[0].problem).removeprefix("not aligned: ")
            found.append(PairedRun(no_accuracy=why, no_space=why))
            continue
        found.append(_paired(first, _Read(shown.runs[index].path)))
    return tuple(found)


class _Read:
    """A run's latents and votes, read when they are first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._latents: RunLatents | None = None
        self._right: tuple[Tensor, Tensor] | None = None

    @property
    def latents(self) -> RunLatents:
        """The newest latents; InspectionError if they, or the run's preset, cannot be read."""
        if self._latents is None:
            self._latents = RunData(self._path).latents()
        return self._latents

    def right(self) -> tuple[Tensor, Tensor]:
        """Return rows of held-out images, int64, and whether kNN@20 is right about each."""
        if self._right is None:
            self._right = self._votes()
        return self._right

    def _votes(self) -> tuple[Tensor, Tensor]:
        from tui_latent.metrics.knn import evaluate_knn, why_no_vote

        latents = self.latents
        if latents.bank_is_queries:
            raise InspectionError(f"{self._path.name} has no training latents")
        voters = latents.bank_labels != UNLABELLED
        bank, labels = latents.bank[voters], latents.bank_labels[voters]
        rows = _drawn(len(latents.queries), ASKED)
        rows = rows[latents.query_labels[rows] != UNLABELLED]
        if why := why_no_vote(bank, labels, len(rows), (VOTERS,)).get(VOTERS):
            raise InspectionError(why)
        truth = latents.query_labels[rows]
        classes = 1 + int(max(labels.max(), truth.max()))
        found = evaluate_knn(bank, labels, latents.queries[rows], truth, classes, (VOTERS,))
        return rows, found.predictions == truth


def _paired(first: _Read, other: _Read) -> PairedRun:
    from tui_latent.metrics.paired_shares import paired_shares
    from tui_latent.metrics.similarity import linear_cka, neighbour_overlap

    accuracy, no_accuracy = None, ""
    try:
        (rows, right), (others, theirs) = first.right(), other.right()
        _, places, other_places = np.intersect1d(
            rows.numpy(), others.numpy(), assume_unique=True, return_indices=True
        )
        accuracy = paired_shares(right.numpy()[places], theirs.numpy()[other_places])
    except (InspectionError, ValueError) as error:
        no_accuracy = str(error)
    try:
        one, two = (read.latents.queries for read in (first, other))
        rows = _drawn(len(one), COMPARED)
        k = min(VOTERS, len(rows) - 1)
        overlap = neighbour_overlap(one[rows], two[rows], k)
        cka = linear_cka(one[rows], two[rows])
    except (InspectionError, ValueError) as error:
        return PairedRun(accuracy, no_accuracy, no_space=str(error))
    similar = None if math.isnan(cka) else cka
    return PairedRun(accuracy, no_accuracy, similar, overlap, k / (len(rows) - 1))


def _drawn(images: int, most: int) -> Tensor:
    """Return at most `most` rows, int64, the same ones for every run with as many images."""
    import torch

    drawn = torch.randperm(images, generator=torch.Generator().manual_seed(0))
    return drawn[:most].sort().values
