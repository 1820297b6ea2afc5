"""What is measured of opened vectors at once: kNN where there are labels, and collapse figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.latents_file import UNLABELLED

MOST_WORK: Final = 5e11
"""differences of two numbers that a search among vectors may take: about ten seconds on two cores.
What takes more waits for `evaluate`"""


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of one step, as an evaluation records them."""

    metrics: dict[str, float]
    missing: dict[str, str]
    """metric -> why it is not measured"""
    confusion: NDArray[np.int64] | None


def affordable(queries: int, bank: int, dimensions: int) -> bool:
    """Say whether a search takes seconds rather than minutes."""
    return float(queries) * bank * dimensions <= MOST_WORK


def measure(
    queries: NDArray[np.float32],
    query_labels: NDArray[np.int64],
    bank: NDArray[np.float32] | None,
    bank_labels: NDArray[np.int64] | None,
    classes: int,
) -> Figures:
    """Measure (M, D) held-out vectors; without a bank each votes on all others.

    Vectors without a class neither vote nor count. kNN is not measured without labels.
    """
    import torch

    from tui_latent.metrics.collapse import FIGURES, space_figures, why_no_figures

    metrics: dict[str, float] = {}
    missing: dict[str, str] = {}
    wide = torch.from_numpy(queries)
    if why := why_no_figures(len(queries)):
        missing |= {f"latent/{name}": why for name in FIGURES}
    else:
        metrics |= {f"latent/{name}": value for name, value in space_figures(wide).items()}
    confusion = None
    if classes:
        confusion = _ask(queries, query_labels, bank, bank_labels, classes, metrics, missing)
    for name in [name for name, value in metrics.items() if not np.isfinite(value)]:
        missing[name] = f"it is {metrics.pop(name)}"
    return Figures(metrics, missing, confusion)


def _ask(
    queries: NDArray[np.float32],
    query_labels: NDArray[np.int64],
    bank: NDArray[np.float32] | None,
    bank_labels: NDArray[np.int64] | None,
    classes: int,
    metrics: dict[str, float],
    missing: dict[str, str],
) -> NDArray[np.int64] | None:
    """Put the accuracies into `metrics`, or why not into `missing`; return the confusion."""
    import torch

    from tui_latent.metrics.knn import KS, evaluate_knn, evaluate_knn_within, why_no_vote

    asked = query_labels != UNLABELLED
    some, labels = torch.from_numpy(queries[asked]), torch.from_numpy(query_labels[asked])
    within = bank is None or bank_labels is None
    voters, votes = some, labels
    if bank is not None and bank_labels is not None:
        votes = torch.from_numpy(bank_labels[bank_labels != UNLABELLED])
        voters = torch.from_numpy(bank[bank_labels != UNLABELLED])
    without = why_no_vote(voters, votes, len(some), within=within)
    missing |= {f"val/knn_{k}": why for k, why in without.items()}
    known = [k for k in KS if k not in without]
    if not known:
        return None
    if within:
        found = evaluate_knn_within(voters, votes, classes, known)
    else:
        found = evaluate_knn(voters, votes, some, labels, classes, known)
    metrics |= {f"val/knn_{k}": accuracy for k, accuracy in found.accuracies.items()}
    return found.confusion.numpy() if max(KS) in known else None
