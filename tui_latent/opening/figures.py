"""What is measured of opened vectors at once: kNN where there are labels, and collapse figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import VECTORS


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of one step, as an evaluation records them."""

    metrics: dict[str, float]
    missing: dict[str, str]
    """metric -> why it is not measured"""
    confusion: NDArray[np.int64] | None


def measure(
    queries: NDArray[np.float32],
    query_labels: NDArray[np.int64],
    bank: NDArray[np.float32] | None,
    bank_labels: NDArray[np.int64] | None,
    classes: int,
) -> Figures:
    """Measure vectors (M, D) by those of a bank (N, D); without a bank each votes on all others.

    Vectors without a class neither vote nor count. kNN is not measured without labels.
    """
    import torch

    from tui_latent.metrics.collapse import FIGURES, space_figures, why_no_figures
    from tui_latent.metrics.some_labelled import knn_of_labelled

    metrics: dict[str, float] = {}
    missing: dict[str, str] = {}
    wide = torch.from_numpy(queries)
    if why := why_no_figures(len(queries), VECTORS):
        missing |= {f"latent/{name}": why for name in FIGURES}
    else:
        metrics |= {f"latent/{name}": value for name, value in space_figures(wide).items()}
    confusion = None
    if classes:
        voters = None if bank is None else torch.from_numpy(bank)
        votes = None if bank_labels is None else torch.from_numpy(bank_labels)
        truth = torch.from_numpy(query_labels)
        found = knn_of_labelled(wide, truth, voters, votes, classes, nouns=VECTORS)
        metrics, missing = metrics | found.metrics, missing | found.missing
        confusion = None if found.confusion is None else found.confusion.numpy()
    for name in [name for name, value in metrics.items() if not np.isfinite(value)]:
        missing[name] = f"it is {metrics.pop(name)}"
    return Figures(metrics, missing, confusion)
