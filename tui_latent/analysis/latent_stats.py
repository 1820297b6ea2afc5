"""The range of a run's latents in each dimension, and the mean of each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import RunLatents
from tui_latent.runs.map_store import MapFolder

if TYPE_CHECKING:
    from torch import Tensor

OUTERMOST: Final = 0.01
"""share of the training latents beyond each end of a range"""


@dataclass(frozen=True, eq=False)
class LatentRanges:
    """The training latents of the newest evaluation, dimension by dimension."""

    low: NDArray[np.float64]
    """(D,); this share of the training latents, OUTERMOST, lies below"""
    high: NDArray[np.float64]
    """(D,); this share of the training latents, OUTERMOST, lies above"""
    mean: NDArray[np.float64]
    """(D,)"""
    std: NDArray[np.float64]
    """(D,), over N"""
    class_means: NDArray[np.float64]
    """(classes, D); NaN for a class without training images"""
    class_names: tuple[str, ...]


def latent_ranges(source: RunData) -> LatentRanges:
    """Measure the training latents of a run; needs no images.

    InspectionError if there are none or one is not finite.
    """
    latents = source.latents()
    bank = finite(latents, latents.bank).numpy().astype(np.float64)
    labels = latents.bank_labels.numpy()
    names = class_names(source.path, latents)
    means = np.full((len(names), bank.shape[1]), np.nan)
    for label in np.unique(labels[labels >= 0]):
        means[label] = bank[labels == label].mean(axis=0)
    low, high = np.quantile(bank, [OUTERMOST, 1 - OUTERMOST], axis=0)
    return LatentRanges(low, high, bank.mean(axis=0), bank.std(axis=0), means, names)


def class_names(run: Path, latents: RunLatents) -> tuple[str, ...]:
    """Return the class names from the run's newest map; needs no images."""
    _, newest = MapFolder(run).refresh(None)
    return all_names(newest.map.class_names if newest is not None else (), latents)


def all_names(known: tuple[str, ...], latents: RunLatents) -> tuple[str, ...]:
    """Return a name for every label of the latents: the known names, then numbers."""
    both = (latents.bank_labels, latents.query_labels)
    count = 1 + max((int(labels.max()) for labels in both if len(labels)), default=-1)
    return known + tuple(str(label) for label in range(len(known), count))


def finite(latents: RunLatents, wanted: Tensor) -> Tensor:
    """Return `wanted`, a part of the latents; InspectionError if it is empty or not finite."""
    import torch

    if not len(wanted):
        raise InspectionError(f"{latents.path}: it contains no latents")
    broken = int((~torch.isfinite(wanted)).any(1).sum())
    if broken:
        raise InspectionError(
            f"{latents.path}: {broken:,} of {len(wanted):,} latents are not finite: "
            "training has diverged"
        )
    return wanted
