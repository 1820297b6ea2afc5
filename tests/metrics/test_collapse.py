"""Collapse figures against their formulas written out, and on spaces whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tui_latent.metrics.collapse import (
    alignment,
    collapse_signs,
    deviation_range,
    effective_rank,
    space_figures,
    uniformity,
    why_no_figures,
)


def drawn(rows: int, dimensions: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(200, 5), (7, 30), (40, 1)])
def test_effective_rank_is_the_entropy_of_the_singular_values(shape: tuple[int, int]) -> None:
    latents = drawn(*shape) * torch.linspace(0.1, 3, shape[1]) + 0.5
    sigma = np.linalg.svd(latents.double().numpy(), compute_uv=False)
    p = sigma / sigma.sum() + 1e-7
    expected = math.exp(-sum(float(x) * math.log(x) for x in p))
    assert float(effective_rank(latents)) == pytest.approx(expected, rel=1e-6)


def test_effective_rank_of_spaces_whose_rank_is_known() -> None:
    assert float(effective_rank(torch.eye(6))) == pytest.approx(6, abs=1e-4)
    assert float(effective_rank(torch.full((50, 6), 3.0))) == pytest.approx(1, abs=1e-4)
    line = drawn(50, 1) * torch.ones(1, 6)
    assert float(effective_rank(line)) == pytest.approx(1, abs=1e-4)
    assert float(effective_rank(torch.zeros(50, 6))) == 0
    assert math.isnan(float(effective_rank(torch.full((4, 3), float("nan")))))


def test_deviation_range_finds_the_dimension_that_died() -> None:
    latents = drawn(500, 3) * torch.tensor([0.0, 1.0, 2.0]) + torch.tensor([9.0, 0.0, -4.0])
    reference = latents.double().numpy().std(axis=0)
    low, mean, high = (float(value) for value in deviation_range(latents))
    assert low == pytest.approx(0, abs=1e-5)
    assert mean == pytest.approx(reference.mean(), rel=1e-5)
    assert high == pytest.approx(reference.max(), rel=1e-5)


def test_alignment_is_the_mean_squared_distance_of_the_directions() -> None:
    a, b = drawn(30, 4, 1), drawn(30, 4, 2)
    expected = np.mean(
        [
            sum(
                (x / np.linalg.norm(u) - y / np.linalg.norm(v)) ** 2
                for x, y in zip(u, v, strict=True)
            )
            for u, v in zip(a.double().numpy(), b.double().numpy(), strict=True)
        ]
    )
    assert float(alignment(a, b)) == pytest.approx(float(expected), rel=1e-5)
    assert float(alignment(a, 7 * a)) == pytest.approx(0, abs=1e-6)
    assert float(alignment(a, -a)) == pytest.approx(4, rel=1e-6)


def test_uniformity_is_the_log_of_the_mean_gaussian_potential() -> None:
    latents = drawn(40, 3)
    unit = latents.double().numpy()
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    potentials = [
        math.exp(-2 * float(((unit[i] - unit[j]) ** 2).sum())) for i in range(40) for j in range(i)
    ]
    assert float(uniformity(latents)) == pytest.approx(math.log(np.mean(potentials)), rel=1e-5)


def test_uniformity_of_one_direction_is_zero_and_of_one_row_unknown() -> None:
    assert float(uniformity(torch.ones(30, 4))) == pytest.approx(0, abs=1e-6)
    assert math.isnan(float(uniformity(torch.ones(1, 4))))


@pytest.mark.slow
def test_uniformity_of_many_rows_is_estimated_on_some() -> None:
    many = drawn(6000, 3)
    estimate = float(uniformity(many, torch.Generator().manual_seed(5)))
    assert estimate == float(uniformity(many, torch.Generator().manual_seed(5)))
    assert estimate != float(uniformity(many, torch.Generator().manual_seed(6)))
    assert estimate == pytest.approx(float(uniformity(many[:2048])), abs=0.05)
    assert float(uniformity(many)) == float(uniformity(many)), "curves must compare"
    by_first = many[many[:, 0].argsort()]
    assert float(uniformity(by_first)) == pytest.approx(float(uniformity(many)), abs=1e-6)


def signs(latents: torch.Tensor) -> list[str]:
    return collapse_signs(space_figures(latents), latents.shape[1])


def on_a_line(rows: int, dimensions: int, beside: float) -> torch.Tensor:
    """Return latents along one half-line, with a little noise beside it."""
    generator = torch.Generator().manual_seed(3)
    length = 1 + torch.rand(rows, 1, generator=generator)
    line: torch.Tensor = length * torch.ones(dimensions) / dimensions**0.5
    return line + beside * drawn(rows, dimensions)


@pytest.mark.parametrize("dimensions", [2, 16, 128])
def test_one_point_and_one_direction_are_a_collapse(dimensions: int) -> None:
    assert len(signs(torch.full((50, dimensions), 0.3))) == 2
    assert len(signs(torch.zeros(50, dimensions))) == 2
    assert "one direction" in signs(on_a_line(500, dimensions, 1e-5))[0]


@pytest.mark.parametrize("dimensions", [1, 2, 3, 16, 128])
def test_a_space_that_is_used_is_no_collapse_wherever_it_lies(dimensions: int) -> None:
    latents = drawn(500, dimensions)
    assert signs(latents) == signs(latents + 10) == signs(0.01 * latents) == []


def test_two_classes_in_two_places_are_not_a_collapse() -> None:
    """A supervised space of two classes needs no more than one dimension."""
    side = torch.arange(400)[:, None] % 2 * 2.0 - 1
    assert signs(side * torch.ones(128) + 0.001 * drawn(400, 128)) == []


def test_figures_of_a_real_collapse_and_of_its_healthy_twin() -> None:
    """CIFAR-10 (5,000 images, ResNet-18 of width 16, 128-D): VICReg without variance, and with."""
    figures = {"std_min": 0.14, "std_max": 14.2}
    without = [(1.157, -0.592, 71.3), (2.281, -0.368, 5.40), (2.243, -0.282, 4.82)]
    for rank, uniform, mean in without:
        found = {"effective_rank": rank, "uniformity": uniform, "std_mean": mean}
        assert collapse_signs(figures | found, 128)
    for rank, uniform, mean in [(3.730, -0.542, 17.6), (6.380, -1.309, 6.66)]:
        found = {"effective_rank": rank, "uniformity": uniform, "std_mean": mean}
        assert not collapse_signs(figures | found, 128)


def test_one_latent_has_no_figures_and_two_have() -> None:
    assert "one held-out image" in why_no_figures(1)
    assert "no held-out images" in why_no_figures(0)
    assert why_no_figures(2) == ""
