"""Maps against scikit-learn's PCA."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from tui_latent.metrics.projection import to_plane

Map = NDArray[np.float64]


def drawn(rows: int, dimensions: int, seed: int = 0) -> Map:
    return np.random.default_rng(seed).standard_normal((rows, dimensions))


def test_two_dimensions_are_shown_as_they_are() -> None:
    latents = drawn(20, 2)
    points = to_plane(latents)
    assert np.array_equal(points, latents)
    points[:] = 0
    assert latents.any(), "the map is a copy"


def test_one_dimension_is_a_line() -> None:
    latents = drawn(20, 1)
    points = to_plane(latents)
    assert np.array_equal(points[:, 0], latents[:, 0])
    assert not points[:, 1].any()


@pytest.mark.parametrize("dimensions", [3, 16, 200])
def test_more_dimensions_become_the_principal_components(dimensions: int) -> None:
    latents = drawn(80, dimensions) * np.linspace(5, 1, dimensions)
    points = to_plane(latents)
    reference = PCA(2, svd_solver="full").fit_transform(latents)
    np.testing.assert_allclose(np.abs(points), np.abs(reference), atol=1e-6)


def test_the_sign_of_a_component_does_not_depend_on_the_order_of_images() -> None:
    latents = drawn(50, 6) * np.array([4, 3, 1, 1, 1, 1])
    np.testing.assert_allclose(to_plane(latents[::-1]), to_plane(latents)[::-1], atol=1e-8)


@pytest.mark.parametrize("latents", [np.ones((5, 4)), np.ones((1, 4)), np.ones((0, 4))])
def test_without_spread_everything_lies_at_the_origin(latents: Map) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = to_plane(latents)
    assert points.shape == (len(latents), 2)
    assert not points.any()


def test_rows_that_are_not_finite_leave_the_others_alone() -> None:
    latents = drawn(30, 5)
    broken = np.concatenate([latents, [[np.nan] * 5, [np.inf, 0, 0, 0, 0]]])
    points = to_plane(broken)
    np.testing.assert_allclose(points[:30], to_plane(latents))
    assert np.isnan(points[30:]).all()


def test_the_float_type_stays() -> None:
    assert to_plane(drawn(9, 5).astype(np.float32)).dtype == np.float32
