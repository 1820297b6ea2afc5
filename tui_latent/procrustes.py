"""Alignment of maps of the same images, and how alike they are; numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floating = NDArray[np.floating]


def align(points: Floating, reference: Floating) -> Floating:
    """Return the points (N, 2) turned, mirrored and shifted onto the reference map (N, 2).

    Row i of both is one image. The rotation or reflection brings the two maps, each about its
    centre, as close together as possible; nothing is scaled (orthogonal Procrustes: Schönemann,
    Psychometrika 1966). Rows that are not finite in either do not count; without any that
    count the points are returned as they are. ValueError when the maps differ in length.
    """
    if points.shape != reference.shape:
        raise ValueError(f"the map is {points.shape}, its reference {reference.shape}")
    counted = np.isfinite(points).all(axis=1) & np.isfinite(reference).all(axis=1)
    if not counted.any():
        return points.copy()
    wide, target = points.astype(np.float64), reference.astype(np.float64)
    centre, target_centre = wide[counted].mean(axis=0), target[counted].mean(axis=0)
    u, _, v = np.linalg.svd((wide[counted] - centre).T @ (target[counted] - target_centre))
    aligned: Floating = ((wide - centre) @ (u @ v) + target_centre).astype(points.dtype)
    return aligned


def disparity(points: Floating, reference: Floating) -> float:
    """Return how unlike two maps (N, 2) of the same images are: 0 the same shape, 1 unrelated.

    The share of the reference's variance that is left when the points are turned, mirrored,
    shifted and scaled onto it (as in scipy.spatial.procrustes), the same both ways. Rows that are
    not finite in either do not count; NaN when one of the maps is a single point. ValueError when
    the maps differ in length.
    """
    if points.shape != reference.shape:
        raise ValueError(f"the map is {points.shape}, its reference {reference.shape}")
    counted = np.isfinite(points).all(axis=1) & np.isfinite(reference).all(axis=1)
    first, second = points[counted].astype(np.float64), reference[counted].astype(np.float64)
    if not len(first):
        return float("nan")
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    sizes = np.linalg.norm(first) * np.linalg.norm(second)
    if not sizes:
        return float("nan")
    shared = np.linalg.svd(first.T @ second, compute_uv=False).sum() / sizes
    return float(max(1 - shared**2, 0.0))
