"""View retrieval against a plain loop in float64, at chance, and where it means nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tui_latent.metrics.view_retrieval import KS, view_retrieval, why_no_retrieval


def plain(views: Tensor, latents: Tensor, k: int) -> float:
    """Count, view by view, whether fewer than k other latents are nearer than its own."""
    hits = 0
    for own, view in enumerate(views.double().tolist()):
        distances = [math.dist(view, latent) for latent in latents.double().tolist()]
        hits += sum(distance < distances[own] for distance in distances) < k
    return hits / len(views)


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", [2, 3, 12, 64])
@pytest.mark.parametrize("noise", [0.05, 0.5, 2.0])
def test_it_is_the_share_of_a_plain_loop(dimensions: int, noise: float) -> None:
    generator = torch.Generator().manual_seed(dimensions)
    latents = torch.randn(150, dimensions, generator=generator) + 7
    views = latents + noise * torch.randn(150, dimensions, generator=generator)
    found = view_retrieval(views, latents)
    assert found.keys() == set(KS)
    for k in KS:
        assert found[k] == pytest.approx(plain(views, latents, k), abs=1e-12)


def test_views_that_stayed_where_they_were_all_find_their_image() -> None:
    latents = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    assert view_retrieval(latents, latents) == {1: 1.0, 5: 1.0}


@pytest.mark.parametrize("dimensions", [2, 16])
def test_latents_that_are_one_point_find_no_more_than_chance(dimensions: int) -> None:
    point = torch.ones(200, dimensions)
    found = view_retrieval(point, point)
    assert found[1] <= 1 / 200 + 1e-12 and found[5] <= 5 / 200 + 1e-12


def test_chance_is_k_of_all_images() -> None:
    random = np.random.default_rng(3)
    views, latents = (torch.from_numpy(random.normal(size=(4000, 3))) for _ in range(2))
    found = view_retrieval(views, latents, (1, 50))
    assert found[50] == pytest.approx(50 / 4000, abs=0.006)


def test_as_many_images_as_are_looked_among_mean_nothing() -> None:
    assert why_no_retrieval(100) == {}
    assert why_no_retrieval(5) == {5: "there are 5 held-out images to choose the 5 nearest from"}
    assert why_no_retrieval(1)[1] == "there is one held-out image to choose the nearest from"
    assert set(why_no_retrieval(0)) == {1, 5}
