"""What each k-means cluster of an evaluation holds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.latents_file import UNLABELLED

MOST_CLASSES: Final = 3
"""most classes of a cluster that are named"""


def cluster_rows(
    latents: NDArray[np.floating],
    assigned: NDArray[np.int64],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Return a row per cluster of latents (N, D), the largest first.

    `image` is the position of the image nearest to the cluster's mean, `images` their number,
    `classes` the most frequent classes of those that are labelled, with their counts.
    """
    rows = []
    for cluster in np.unique(assigned):
        members = np.flatnonzero(assigned == cluster)
        wide = np.asarray(latents[members], np.float64)
        distances = np.linalg.norm(wide - wide.mean(axis=0), axis=1)
        known = labels[members][labels[members] != UNLABELLED]
        counts = np.bincount(known, minlength=len(class_names)) if len(known) else np.empty(0, int)
        order = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
        rows.append(
            {
                "image": int(members[distances.argmin()]),
                "images": len(members),
                "classes": [[class_names[i], int(counts[i])] for i in order if counts[i]],
            }
        )
    return sorted(rows, key=lambda row: -row["images"])
