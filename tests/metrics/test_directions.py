"""Directions of latents of any size, and what is measured of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from tui_latent.metrics.collapse import alignment, uniformity
from tui_latent.metrics.directions import directions
from tui_latent.metrics.weighted_knn import Vote, weighted_knn

SIZES = (1e-37, 1e-20, 1e-13, 1.0, 1e13, 1e20, 1e37)


def drawn(rows: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, 5, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", SIZES)
def test_directions_do_not_depend_on_the_size_of_latents(size: float) -> None:
    latents = drawn(40, 0)
    wide = latents.double().numpy()
    expected = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    assert directions(latents * size).numpy() == pytest.approx(expected, abs=1e-6)


def test_a_latent_at_the_origin_has_no_direction() -> None:
    latents = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert directions(latents).tolist() == [[0, 0], [pytest.approx(0.6), pytest.approx(0.8)]]


def test_half_precision_is_widened() -> None:
    found = directions(torch.tensor([[300.0, 400.0]], dtype=torch.float16))
    assert found.dtype == torch.float32
    assert found[0].tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("size", SIZES)
def test_votes_alignment_and_uniformity_of_any_size_are_those_of_the_directions(
    size: float,
) -> None:
    latents, labels = drawn(60, 1), torch.arange(60) % 3
    unit = latents.double().numpy()
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scaled = latents * size
    potential = np.log(np.exp(-2 * pdist(unit) ** 2).mean())
    assert float(uniformity(scaled)) == pytest.approx(potential, abs=1e-5)
    apart = ((unit[1:] - unit[:-1]) ** 2).sum(1).mean()
    assert float(alignment(scaled[1:], scaled[:-1])) == pytest.approx(apart, abs=1e-5)
    vote = Vote(9, 0.1)
    called = weighted_knn(scaled[:40], labels[:40], scaled[40:], 3, (vote,))[vote]
    for row, query in enumerate(unit[40:]):
        cosines = unit[:40] @ query
        near = np.argsort(-cosines)[:9]
        weights = np.bincount(labels[near].numpy(), np.exp(cosines[near] / 0.1), minlength=3)
        assert int(called[row]) == weights.argmax()
