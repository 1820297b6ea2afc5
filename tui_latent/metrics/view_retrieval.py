"""View retrieval: how often an image's other view finds its own image; needs no labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from tui_latent.metrics.nearest_neighbours import NeighbourSearch, Search

KS: Final = (1, 5)
"""the numbers of nearest latents among which each evaluation looks for an image's own"""


def view_retrieval(
    views: Tensor,
    latents: Tensor,
    ks: Sequence[int] = KS,
    on_chunk: Callable[[], None] = lambda: None,
    search: Search | None = None,
) -> dict[int, float]:
    """Return the share of images whose own latent is among the k nearest to their other view.

    `latents` are those of the images (M, D), and row i of `views`, (M, D), is the latent of
    an augmented view of image i. By Euclidean distance, over all M latents: chance is k / M. It is
    recall@k of instance retrieval, as in Wu et al., CVPR 2018, where each image is a class of its
    own. `on_chunk` is called between chunks. A `search` of the caller's own takes latents that are
    known to be finite. ValueError when a latent is not finite, or when a k exceeds M.
    """
    if search is not None:
        rows = search(latents, views, max(ks), on_chunk)
    else:
        _, rows = NeighbourSearch(latents).nearest(views, max(ks), on_chunk)
    own = torch.arange(len(views), device=rows.device)[:, None]
    hits = (rows == own).cumsum(1).double().mean(0).tolist()
    return {k: hits[k - 1] for k in ks}


def why_no_retrieval(images: int, ks: Sequence[int] = KS) -> dict[int, str]:
    """Return the reason for each k whose share would mean nothing: all latents are the nearest."""
    count = {0: "are no held-out images", 1: "is one held-out image"}
    there = count.get(images, f"are {images} held-out images")
    return {
        k: f"there {there} to choose the {f'{k} ' * (k > 1)}nearest from" for k in ks if images <= k
    }
