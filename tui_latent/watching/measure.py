"""What is measured of the latents that a watched loop gives, in the process beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import IMAGES
from tui_latent.procrustes import align
from tui_latent.runs.latents_file import UNLABELLED, write_latents

Found = tuple[dict[str, Any], dict[str, NDArray[Any]]]

_NO_VOTER: Final = "no training image has a label"


def measure(about: dict[str, Any], given: dict[str, NDArray[Any]]) -> Found:
    """Measure the latents of one step, and write them to the file that `about` names.

    `given` has queries (N, D), and perhaps labels (N,), a bank (M, D), bank_labels (M,), and the
    previous map's points (N, 2).
    """
    from tui_latent.metrics.projection import to_plane

    queries = given["queries"]
    table: dict[str, Any] = {"metrics": {}, "missing": {}, "problem": "", "collapse": ""}
    if broken := int((~np.isfinite(queries)).any(1).sum()):
        table["problem"] = (
            f"the latents of {broken:,} of {len(queries):,} held-out images are not finite: "
            "the previous map stays"
        )
        return table, {}
    arrays: dict[str, NDArray[Any]] = {}
    labels = given.get("labels", np.full(len(queries), UNLABELLED))
    bank = given.get("bank")
    bank_labels = given.get("bank_labels")
    if bank is not None and bank_labels is None:
        bank_labels = np.full(len(bank), UNLABELLED)
    _measure_space(queries, table)
    if (labels != UNLABELLED).any():
        confusion = _ask_neighbours(queries, labels, bank, bank_labels, table)
        if confusion is not None:
            arrays["confusion"] = confusion
    points = to_plane(queries).astype(np.float32)
    previous = given.get("previous")
    if previous is not None and previous.shape == points.shape:
        points = align(points, previous).astype(np.float32)
    arrays["points"] = points
    write_latents(Path(about["file"]), about["step"], queries, labels, bank, bank_labels)
    return table, arrays


def _measure_space(queries: NDArray[Any], table: dict[str, Any]) -> None:
    import torch

    from tui_latent.metrics.collapse import FIGURES, collapse_signs, space_figures, why_no_figures

    if why := why_no_figures(len(queries)):
        table["missing"] |= {f"latent/{name}": why for name in (*FIGURES, "collapsed")}
        return
    figures = space_figures(torch.from_numpy(queries))
    signs = collapse_signs(figures, min(queries.shape))
    table["metrics"] |= {f"latent/{name}": value for name, value in figures.items()}
    table["metrics"]["latent/collapsed"] = float(bool(signs))
    table["collapse"] = "; ".join(signs)


def _ask_neighbours(
    queries: NDArray[Any],
    labels: NDArray[Any],
    bank: NDArray[Any] | None,
    bank_labels: NDArray[Any] | None,
    table: dict[str, Any],
) -> NDArray[Any] | None:
    """Put the accuracies of labelled queries into the table, or why not; return the confusion."""
    import torch

    from tui_latent.metrics.knn import KS, evaluate_knn, evaluate_knn_within, why_no_vote

    classes = 1 + max(int(labels.max()), -1 if bank_labels is None else int(bank_labels.max()))
    asked = torch.from_numpy(queries[labels != UNLABELLED])
    truth = torch.from_numpy(labels[labels != UNLABELLED])
    within = bank is None or bank_labels is None
    voters, votes = asked, truth
    why = ""
    if bank is not None and bank_labels is not None:
        known = bank_labels != UNLABELLED
        broken = int((~np.isfinite(bank)).any(1).sum())
        voters, votes = torch.from_numpy(bank[known]), torch.from_numpy(bank_labels[known])
        if not known.any():
            why = _NO_VOTER
        elif broken:
            why = f"the latents of {broken:,} of {len(bank):,} training images are not finite"
    nouns = IMAGES._replace(training=IMAGES.image) if within else IMAGES
    without = dict.fromkeys(KS, why) if why else why_no_vote(
        voters, votes, len(asked), within=within, nouns=nouns
    )  # fmt: skip
    table["missing"] |= {f"val/knn_{k}": reason for k, reason in without.items()}
    ks = [k for k in KS if k not in without]
    if not ks:
        return None
    if within:
        knn = evaluate_knn_within(asked, truth, classes, ks)
    else:
        knn = evaluate_knn(voters, votes, asked, truth, classes, ks)
    table["metrics"] |= {f"val/knn_{k}": accuracy for k, accuracy in knn.accuracies.items()}
    return knn.confusion.numpy() if max(KS) in ks else None
