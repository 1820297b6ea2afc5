"""Maps against scikit-learn's PCA, and frames that do not jump."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from tui_latent.evaluation.projection import align, to_plane

Map = NDArray[np.float64]


def drawn(rows: int, dimensions: int, seed: int = 0) -> Map:
    return np.random.default_rng(seed).standard_normal((rows, dimensions))


def turned(points: Map, angle: float, mirrored: bool, shift: tuple[float, float]) -> Map:
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, -s], [s, c]]) @ np.diag([1.0, -1.0 if mirrored else 1.0])
    moved: Map = points @ matrix.T + np.array(shift)
    return moved


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


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rows=st.integers(3, 40),
    angle=st.floats(-10, 10),
    mirrored=st.booleans(),
    shift=st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
)
def test_turning_mirroring_and_shifting_are_undone(
    seed: int, rows: int, angle: float, mirrored: bool, shift: tuple[float, float]
) -> None:
    reference = drawn(rows, 2, seed)
    moved = turned(reference, angle, mirrored, shift)
    np.testing.assert_allclose(align(moved, reference), reference, atol=1e-8)


def test_growth_is_kept_because_it_is_learning() -> None:
    reference = drawn(50, 2)
    moved = turned(3 * reference, 1.0, True, (5, 5))
    aligned = align(moved, reference)
    np.testing.assert_allclose(
        aligned - aligned.mean(0), 3 * (reference - reference.mean(0)), atol=1e-9
    )


def test_no_other_turn_brings_the_map_nearer() -> None:
    reference, other = drawn(60, 2, 1), drawn(60, 2, 2) + drawn(60, 2, 1)
    best = float(((align(other, reference) - reference) ** 2).sum())
    centred = other - other.mean(0)
    for angle in np.linspace(0, 2 * np.pi, 73):
        for mirrored in (False, True):
            tried = turned(centred, angle, mirrored, (0, 0)) + reference.mean(0)
            assert best <= float(((tried - reference) ** 2).sum()) + 1e-9


def test_lost_points_do_not_move_the_others() -> None:
    reference = drawn(40, 2)
    moved = turned(reference, 2.0, False, (1, 1))
    moved[3] = np.nan
    partly = reference.copy()
    partly[7] = np.inf
    aligned = align(moved, partly)
    kept = np.arange(40) != 3
    np.testing.assert_allclose(aligned[kept], reference[kept], atol=1e-9)
    assert np.isnan(aligned[3]).all()


@pytest.mark.parametrize(
    "points", [np.ones((6, 2)), np.ones((1, 2)), np.full((6, 2), np.nan), np.ones((0, 2))]
)
def test_maps_without_a_shape_survive(points: Map) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aligned = align(points, np.zeros_like(points))
    assert aligned.shape == points.shape


def test_maps_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="reference"):
        align(np.ones((3, 2)), np.ones((4, 2)))
