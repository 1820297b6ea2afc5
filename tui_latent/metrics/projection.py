"""Projection of latents to the plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floating = NDArray[np.floating]


def to_plane(latents: Floating) -> Floating:
    """Return points (N, 2) of latents (N, D), in the latents' float type.

    Two dimensions are shown as they are, and one as a line at height 0. More are reduced to the
    first two principal components, each signed so that its largest loading is positive. Rows that
    are not finite become NaN, and do not count in the components.
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
