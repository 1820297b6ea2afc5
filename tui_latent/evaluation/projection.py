"""Latents as points in the plane, in a frame that stays put while training moves them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floating = NDArray[np.floating]


def to_plane(latents: Floating) -> Floating:
    """Return points (N, 2) of latents (N, D), in the latents' float type.

    Two dimensions are shown as they are and one as a line at height 0; of more, the two
    principal components, each signed so that its largest loading is positive. Rows that are
    not finite become NaN, and do not count in the components.
    """
    rows, dimensions = latents.shape
    if dimensions == 2:
        return latents.copy()
    if dimensions == 1:
        return np.concatenate([latents, np.zeros_like(latents)], axis=1)
    finite = np.isfinite(latents).all(axis=1)
    points = np.full((rows, 2), np.nan, dtype=latents.dtype)
    points[finite] = _principal_components(latents[finite].astype(np.float64))
    return points


def _principal_components(latents: NDArray[np.float64]) -> NDArray[np.float64]:
    points = np.zeros((len(latents), 2))
    if len(latents) < 2 or not np.ptp(latents, axis=0).any():
        return points
    from sklearn.decomposition import PCA

    pca = PCA(n_components=2, random_state=0)
    projected = pca.fit_transform(latents)
    largest = np.abs(pca.components_).argmax(axis=1)
    return np.asarray(projected * np.sign(pca.components_[[0, 1], largest]))


def align(points: Floating, reference: Floating) -> Floating:
    """Return the points (N, 2) turned, mirrored and shifted onto the reference map (N, 2).

    Row i of both is one image. The rotation or reflection brings the two maps, each about its
    centre, as near as can be; nothing is scaled (orthogonal Procrustes: Schönemann,
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
