"""Places on a map, against turns and shifts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.map_projection import MapPlane
from tui_latent.runs.schema import LatentMap


def on_map(known: torch.Tensor, shown: LatentMap, asked: np.ndarray) -> np.ndarray:
    return MapPlane.of(known, shown).place(asked)


def turned(points: np.ndarray, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((points * [1, -1]) @ turn.T + shift)


def map_of(points: np.ndarray) -> LatentMap:
    zeros = np.zeros(len(points), np.int64)
    return LatentMap(60, points.astype(np.float32), np.arange(len(points)), zeros, ("a",))


def test_latents_of_two_dimensions_follow_the_maps_turn_mirror_and_shift() -> None:
    random = np.random.default_rng(0)
    known, asked = random.normal(size=(50, 2)), random.normal(size=(7, 2)) * 5
    shown = map_of(turned(known, 70, (4, -9)))
    found = on_map(torch.tensor(known), shown, asked)
    np.testing.assert_allclose(found, turned(asked, 70, (4, -9)), atol=1e-4)


def test_wide_latents_land_by_the_principal_plane_of_the_map() -> None:
    random = np.random.default_rng(1)
    basis = np.linalg.qr(random.normal(size=(6, 6)))[0]
    plane = random.normal(size=(80, 6)) * [5, 3, 0.5, 0.2, 0.1, 0.1]
    plane -= plane.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(plane.T))
    flat = plane @ directions[:, ::-1][:, :2]
    shown = map_of(turned(flat, 200, (1, 2)))
    asked = random.normal(size=(5, 6))
    expected = turned(asked @ directions[:, ::-1][:, :2], 200, (1, 2))
    found = on_map(torch.tensor(plane @ basis.T), shown, asked @ basis.T)
    assert values[-2] > 4 * values[-3]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_one_dimension_and_a_single_point() -> None:
    line = torch.linspace(-1, 1, 9)[:, None]
    flat = np.concatenate([line.numpy(), np.zeros((9, 1))], axis=1)
    found = on_map(line, map_of(turned(flat, 30, (0, 1))), np.array([[3.0]]))
    np.testing.assert_allclose(found, turned(np.array([[3.0, 0.0]]), 30, (0, 1)), atol=1e-5)
    equal = torch.ones(4, 3)
    found = on_map(equal, map_of(np.full((4, 2), 7.0)), equal[:2].numpy())
    np.testing.assert_allclose(found, 7)


def test_a_map_of_other_latents_is_refused() -> None:
    random = np.random.default_rng(2)
    known = torch.tensor(random.normal(size=(50, 2)))
    with pytest.raises(InspectionError, match="different evaluations"):
        on_map(known, map_of(random.normal(size=(50, 2))), known.numpy())
    with pytest.raises(InspectionError, match="newest map does not belong"):
        on_map(known, map_of(random.normal(size=(49, 2))), known.numpy())
    with pytest.raises(InspectionError, match="no latent of this map is finite"):
        on_map(known * torch.nan, map_of(known.numpy()), known.numpy())
