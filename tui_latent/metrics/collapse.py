"""Collapse metrics: how much of a latent space is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from tui_latent.collapse_limits import ONE_WAY, POINT, fewest_dimensions
from tui_latent.collapse_limits import PROJECTED as LEFT
from tui_latent.metrics.directions import directions
from tui_latent.metrics.sample_order import drawn_order
from tui_latent.nouns import IMAGES, Nouns

FIGURES: Final = ("effective_rank", "std_min", "std_mean", "std_max", "uniformity")
"""names of what `space_figures` returns"""
PROJECTED: Final = {"projection_rank": "effective_rank", "projection_std": "std_mean"}
"""name under which training records a projection's figure -> its name in `space_figures`"""
_RANKME_EPSILON: Final = 1e-7
_UNIFORMITY_ROWS: Final = 2048


def effective_rank(latents: Tensor) -> Tensor:
    """Return how many dimensions the latents fill: RankMe, a float64 scalar.

    exp(-Σ p log p) with p = σ / Σσ + 1e-7 over the singular values σ of the latents (N, D) as
    they are, not centred: latents that are all one point other than 0 have rank 1. All zeros
    have rank 0, latents that are not finite rank NaN. Garrido et al., RankMe, ICML 2023, eq. 1.
    """
    matrix = latents.detach().double()
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    finite = torch.isfinite(gram).all()  # for torch.where: nothing waits for a GPU
    sigma = torch.linalg.eigvalsh(torch.where(finite, gram, 0)).clamp(min=0).sqrt()
    total = sigma.sum()
    p = sigma / total + _RANKME_EPSILON
    rank = torch.where(total == 0, 0, torch.exp(-(p * p.log()).sum()))
    return torch.where(finite, rank, torch.nan)


def deviation_range(latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the smallest, mean and largest standard deviation over the dimensions of (N, D).

    A smallest one near 0 with a larger mean says that a dimension is lost. Float32 scalars.
    """
    deviations = latents.detach().float().std(0, correction=0)
    return deviations.min(), deviations.mean(), deviations.max()


def alignment(view_a: Tensor, view_b: Tensor) -> Tensor:
    """Return how far two views of an image lie apart: mean |u - v|², a float32 scalar in 0..4.

    u and v are the rows of the views (N, D), made of length 1: smaller is better, 2 is the
    value of unrelated views. Wang & Isola, ICML 2020, eq. 9 with α = 2.
    """
    u, v = directions(view_a), directions(view_b)
    return (u - v).square().sum(1).mean()


def uniformity(latents: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return how evenly the latents' directions lie: log mean exp(-2 |u - v|²), float32, ≤ 0.

    Over all pairs of at most 2,048 rows of (N, D), made of length 1: lower is more even, 0 is
    one direction for all, NaN stands for fewer than two rows. Which rows: drawn by `generator`
    (on the CPU), without one the same at each call, in whatever order they come. Wang & Isola,
    ICML 2020, eq. 10 with t = 2.
    """
    drawn = latents.detach().float()
    if len(drawn) > _UNIFORMITY_ROWS:
        rows = drawn_order(drawn)
        if generator is not None:
            rows = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
        drawn = drawn[rows[:_UNIFORMITY_ROWS]]
    return torch.pdist(directions(drawn)).square().mul(-2).exp().mean().log()


def space_figures(latents: Tensor) -> dict[str, float]:
    """Return the figures of one split's latents (N, D) that need nothing else, by name.

    None of them means anything for fewer than two latents: see `why_no_figures`.
    """
    figures = (effective_rank(latents), *deviation_range(latents), uniformity(latents))
    # All in one transfer: each would wait for the device.
    values = torch.stack([figure.double() for figure in figures]).tolist()
    return dict(zip(FIGURES, values, strict=True))


def why_no_figures(images: int, nouns: Nouns = IMAGES) -> str:
    """Return why this number of latents has no `space_figures`; empty if it has."""
    if images >= 2:
        return ""
    if images == 1:
        return f"one {nouns.held_out} is too few for collapse metrics"
    return f"there are no {nouns.held_out}s"


def collapse_signs(figures: Mapping[str, float], dimensions: int) -> list[str]:
    """Return in words the signs in `space_figures` that the latents have collapsed; often none.

    There are two signs. The mean standard deviation is below 0.0001: all latents are one point
    (untrained networks had 0.003 and more).
    Or the effective rank is below 3 (in D < 101 dimensions below 1 + (D - 1) / 50) and the
    uniformity above -0.65: few directions, and most latents in one of them; images of two classes
    in two opposite places have -0.69. On CIFAR-10 in 128 dimensions VICReg had rank 2.2 and
    uniformity -0.28 without its variance term, and from its first evaluation on at least 3.7 and
    at most -0.54 with it. A rank alone says little: a map in the plane may lie far from 0.
    `dimensions` is how many could be filled: D, or the number of images if that is smaller.
    """
    signs = []
    if figures["std_mean"] < POINT:
        signs.append(
            f"mean standard deviation {figures['std_mean']:.2g}: all latents are one point"
        )
    rank, uniform = figures["effective_rank"], figures["uniformity"]
    if dimensions > 1 and rank < fewest_dimensions(dimensions) and uniform > ONE_WAY:
        signs.append(
            f"effective rank {rank:.2f} of {dimensions}, uniformity {uniform:.2f}: "
            "most latents lie in one direction"
        )
    return signs


def projection_signs(figures: Mapping[str, float], projected: Mapping[str, float]) -> list[str]:
    """Return in words the signs that the projection of latents has collapsed; often none.

    Both are `space_figures`. Latents may vary while the loss, which sees only their projection,
    sees one point: from then on nothing is learnt.
    """
    left, whole = projected["std_mean"], figures["std_mean"]
    if left >= LEFT * whole:
        return []
    return [f"mean standard deviation {left:.2g} in the projection: the loss sees one point"]
