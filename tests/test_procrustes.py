"""Maps turned onto one another: what was done to a map is undone, and nothing else."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import procrustes

from tui_latent.procrustes import align, disparity

Map = NDArray[np.float64]


def drawn(rows: int, dimensions: int, seed: int = 0) -> Map:
    return np.random.default_rng(seed).standard_normal((rows, dimensions))


def turned(points: Map, angle: float, mirrored: bool, shift: tuple[float, float]) -> Map:
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, -s], [s, c]]) @ np.diag([1.0, -1.0 if mirrored else 1.0])
    moved: Map = points @ matrix.T + np.array(shift)
    return moved


@pytest.mark.slow
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
    with pytest.raises(ValueError, match="reference"):
        disparity(np.ones((3, 2)), np.ones((4, 2)))


@pytest.mark.parametrize("likeness", [0.0, 0.5, 3.0])
def test_how_unlike_two_maps_are_is_what_scipy_says(likeness: float) -> None:
    one = drawn(70, 2, 1)
    other = likeness * one[:, ::-1] + drawn(70, 2, 2)
    expected = procrustes(one, other)[2]
    assert disparity(one, other) == pytest.approx(expected)
    assert disparity(other, one) == pytest.approx(expected)


def test_a_map_is_like_itself_however_large_and_turned() -> None:
    one = drawn(30, 2)
    other = 7 * turned(one, 1.0, True, (3, -8))
    other[4] = np.nan
    assert disparity(one, other) == pytest.approx(0, abs=1e-12)
    assert disparity(one.astype(np.float32), other) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.ones((0, 2))])
def test_a_single_point_is_like_nothing(points: Map) -> None:
    assert np.isnan(disparity(points, drawn(len(points), 2)))
