"""The part of a latent map that a report shows, and the centres of its classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_latent.map_frame import Frame, finite_points, settle_frame
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import LatentMap


@dataclass(frozen=True)
class ClassCentre:
    """The centre of the points of one class."""

    label: int
    name: str
    images: int
    x: float
    """median of the points; a mean may lie between two groups"""
    y: float


@dataclass(frozen=True)
class MapFrame:
    """The shown part of a latent map, and the centres of its classes."""

    step: int
    projection: str
    images: int
    not_finite: int
    """points that are NaN or infinite"""
    outside: int
    """points beyond the frame, which leaves far outliers out"""
    centre: tuple[float, float]
    half_width: float
    classes: tuple[ClassCentre, ...]
    """classes that have points"""
    unlabelled: int = 0
    """images of no class"""


def map_frame(latent_map: LatentMap) -> MapFrame:
    """Choose the square of a map to show, and find its classes."""
    finite = finite_points(latent_map.points)
    points = latent_map.points[finite].astype(np.float64)
    labels = latent_map.labels[finite]
    frame = settle_frame(points) or Frame(-1.0, 1.0, -1.0, 1.0)
    centre = (frame.left + frame.right) / 2, (frame.bottom + frame.top) / 2
    half = max(frame.right - frame.left, frame.top - frame.bottom) / 2
    inside = (np.abs(points - centre) <= half).all(axis=1)
    classes = []
    for label, name in enumerate(latent_map.class_names):
        of_class = points[labels == label]
        if len(of_class):
            x, y = np.median(of_class, axis=0)
            classes.append(ClassCentre(label, name, len(of_class), float(x), float(y)))
    return MapFrame(
        step=latent_map.step,
        projection=latent_map.projection,
        images=len(finite),
        not_finite=int((~finite).sum()),
        outside=int((~inside).sum()),
        centre=centre,
        half_width=half,
        classes=tuple(classes),
        unlabelled=int((latent_map.labels == UNLABELLED).sum()),
    )
