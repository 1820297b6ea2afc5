"""How many clusters latents form, where no labels say so."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tui_latent.metrics.clustering import k_means
from tui_latent.metrics.sample_order import drawn_order

MOST_CLUSTERS: Final = 12
"""clusters whose colours can still be told apart"""
_SAMPLE: Final = 2000
"""number of latents that is enough to compare silhouettes"""
_STARTS: Final = 4


def best_count(latents: NDArray[np.floating]) -> int:
    """Return the number of k-means clusters, 2 to 12, with the best mean silhouette.

    At most 2,000 of the latents (N, D) are compared, drawn by their content. Rousseeuw, Journal of
    Computational and Applied Mathematics 20 (1987). Returns 1 where fewer than three are distinct.
    ValueError without latents, or when one is not finite.
    """
    from sklearn.metrics import silhouette_score

    wide = np.asarray(latents, np.float64)
    if len(wide) > _SAMPLE:
        wide = wide[drawn_order(torch.from_numpy(wide))[:_SAMPLE].numpy()]
    if not np.isfinite(wide).all():
        raise ValueError("clusters need latents that are all finite")
    scores: dict[int, float] = {}
    for count in range(2, min(MOST_CLUSTERS, len(wide) - 1) + 1):
        assigned = k_means(wide, count, starts=_STARTS)
        found = len(np.unique(assigned))
        if found < count or found == len(wide):
            break
        scores[count] = float(silhouette_score(wide, assigned))
    return max(scores, key=lambda count: scores[count]) if scores else 1
