"""Spectra, LiDAR, CKA and paired tests against numpy, scikit-learn and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import fractional_matrix_power
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import KernelCenterer

from tui_latent.metrics.paired_shares import paired_shares
from tui_latent.metrics.similarity import linear_cka, neighbour_overlap
from tui_latent.metrics.spectrum import alpha_req, lidar, participation_ratio, spectrum


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(50, 6), (5, 20)])
def test_a_spectrum_is_pcas_explained_variance(shape: tuple[int, int]) -> None:
    latents = normal(*shape) * torch.arange(1, shape[1] + 1) + 30
    pca = PCA().fit(latents.numpy())
    expected = pca.explained_variance_ * (shape[0] - 1) / shape[0]
    assert spectrum(latents) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_participation_ratio_counts_equal_variances() -> None:
    assert participation_ratio(np.array([2.0, 2.0, 2.0, 0.0])) == pytest.approx(3)
    assert participation_ratio(np.array([4.0, 1.0])) == pytest.approx(25 / 17)
    assert math.isnan(participation_ratio(np.zeros(4)))


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_alpha_is_the_exponent_of_a_power_law(alpha: float) -> None:
    law = np.arange(1, 40, dtype=np.float64) ** -alpha
    assert alpha_req(law.astype(np.float64)) == pytest.approx(alpha)
    noisy = law * np.exp(0.1 * np.random.default_rng(0).normal(size=39))
    slope = np.polyfit(np.log(np.arange(1, 40)), np.log(noisy), 1)[0]
    assert alpha_req(noisy.astype(np.float64)) == pytest.approx(-slope)
    assert alpha_req(np.append(law, np.zeros(5))) == pytest.approx(alpha), "rounding is left out"
    assert math.isnan(alpha_req(np.array([1.0, 0.5, 0.0])))


def test_lidar_is_the_rank_of_the_whitened_means_word_for_word() -> None:
    views = normal(12, 5, 4, seed=3) * 0.3 + 2 * normal(12, 1, 4, seed=4)
    x = views.numpy()
    means = x.mean(1)
    between = sum(np.outer(m - means.mean(0), m - means.mean(0)) for m in means) / 11
    within = sum(np.outer(v - means[i], v - means[i]) for i in range(12) for v in x[i]) / 60
    root = fractional_matrix_power(within + 1e-4 * np.eye(4), -0.5)
    values = np.linalg.eigvalsh(root @ between @ root)
    p = values / values.sum() + 1e-7
    assert lidar(views) == pytest.approx(math.exp(-(p * np.log(p)).sum()), rel=1e-8)


def test_lidar_counts_the_dimensions_that_tell_images_apart() -> None:
    """What augmentation changes fills all dimensions, but images differ along two."""
    images = torch.zeros(400, 1, 8, dtype=torch.float64)
    images[:, :, :2] = normal(400, 1, 2, seed=5) * 50
    views = images + normal(400, 10, 8, seed=6)
    assert lidar(views) == pytest.approx(2, abs=0.05)
    with pytest.raises(ValueError, match="two"):
        lidar(views[:, :1])


def test_cka_is_that_of_centred_gram_matrices() -> None:
    x, y = normal(40, 6, seed=1), normal(40, 3, seed=2)
    k, m = (KernelCenterer().fit_transform((z @ z.T).numpy()) for z in (x, y))
    expected = (k * m).sum() / math.sqrt((k * k).sum() * (m * m).sum())
    assert linear_cka(x, y) == pytest.approx(expected)
    turn = torch.linalg.qr(normal(6, 6, seed=3)).Q
    assert linear_cka(x, 3 * x @ turn + 5) == pytest.approx(1)
    assert math.isnan(linear_cka(x, torch.ones(40, 2)))


def test_neighbour_overlap_is_that_of_scikit_learns_neighbours() -> None:
    x, y = normal(50, 4, seed=1), normal(50, 2, seed=2)
    near = [
        NearestNeighbors(n_neighbors=6).fit(z).kneighbors(z, return_distance=False)[:, 1:]
        for z in (x.numpy(), y.numpy())
    ]
    expected = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(*near, strict=True)])
    assert neighbour_overlap(x, y, 5) == pytest.approx(expected)
    assert neighbour_overlap(x, 2 * x + 1, 5) == 1


@pytest.mark.parametrize("kind", ["one point", "few points", "a heap and others"])
def test_spaces_that_have_collapsed_agree_by_chance_only(kind: str) -> None:
    """What is nearest among equals is chance: the mean of plain loops over random orders."""
    rows, k = 120, 10
    first, second = normal(rows, 3, seed=1), normal(rows, 3, seed=2)
    if kind == "one point":
        first, second = 0 * first, 0 * second
    elif kind == "few points":
        first, second = first.sign(), second.sign()
    else:
        first[torch.arange(rows) % 3 > 0] = 0
        second[torch.arange(rows) % 5 > 1] = 0
    random, found = np.random.default_rng(0), []
    for _ in range(30):
        near = []
        for space in (first, second):
            distances = cdist(space, space)
            np.fill_diagonal(distances, np.inf)
            order = random.permutation(rows)
            near.append(order[np.argsort(distances[:, order], axis=1, kind="stable")[:, :k]])
        found += [np.mean([len(set(a) & set(b)) / k for a, b in zip(*near, strict=True)])]
    overlap = neighbour_overlap(first, second, k)
    assert overlap == pytest.approx(np.mean(found), abs=5 * np.std(found) / math.sqrt(30))
    if kind == "one point":
        assert overlap == pytest.approx(k / (rows - 1))


def test_neighbours_in_common_need_finite_latents_and_others() -> None:
    space = normal(6, 2, seed=1)
    for k in (0, 6):
        with pytest.raises(ValueError, match="k is"):
            neighbour_overlap(space, space, k)
    with pytest.raises(ValueError, match="finite"):
        neighbour_overlap(space, space * torch.nan, 2)


def test_mcnemar_is_the_binomial_of_the_images_on_which_two_runs_differ() -> None:
    first = np.repeat([True, True, False, False], [70, 4, 12, 14])
    second = np.repeat([True, False, True, False], [70, 4, 12, 14])
    found = paired_shares(first, second)
    assert (found.only_first, found.only_second, found.images) == (4, 12, 100)
    tail = sum(math.comb(16, i) for i in range(5)) / 2**16
    assert found.p == pytest.approx(2 * tail)
    assert found.difference == pytest.approx(0.08)
    drawn = np.random.default_rng(0).integers(100, size=(4000, 100))
    resampled = second[drawn].mean(1) - first[drawn].mean(1)
    assert (found.low, found.high) == pytest.approx(
        np.quantile(resampled, [0.025, 0.975]), abs=0.011
    )
    assert found.low <= found.difference <= found.high


def test_two_runs_that_are_right_about_the_same_images_do_not_differ() -> None:
    right = np.arange(50) % 3 > 0
    found = paired_shares(right, right)
    assert (found.p, found.difference, found.low, found.high) == (1, 0, 0, 0)
    with pytest.raises(ValueError, match="no images"):
        paired_shares(right[:0], right[:0])
