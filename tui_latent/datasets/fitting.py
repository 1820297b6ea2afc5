"""Bring images to a square: its centre, all of it stretched, or all of it with black borders."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Fit = Literal["crop", "stretch", "pad"]
_BILINEAR = Image.Resampling.BILINEAR


class Place(NamedTuple):
    """Which part of an image is taken, and where it goes in the square."""

    box: tuple[float, float, float, float]
    """left, top, right and bottom in the image"""
    size: tuple[int, int]
    """width and height in the square"""
    corner: tuple[int, int]
    """left and top in the square"""


def place(width: int, height: int, size: int, fit: Fit) -> Place:
    """Return how an image is brought to a square with sides of `size` pixels."""
    whole = (0.0, 0.0, float(width), float(height))
    if fit == "stretch" or width == height:
        return Place(whole, (size, size), (0, 0))
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return Place((left, top, left + side, top + side), (size, size), (0, 0))
    scale = size / max(width, height)
    across, down = max(round(width * scale), 1), max(round(height * scale), 1)
    return Place(whole, (across, down), ((size - across) // 2, (size - down) // 2))


def fitted(image: Image.Image, size: int, fit: Fit) -> Image.Image:
    """Return an image in mode L or RGB as a square, antialiased; `info` is kept."""
    if image.size == (size, size):
        return image
    where = place(image.width, image.height, size, fit)
    small = image.resize(where.size, _BILINEAR, where.box)
    if where.size != (size, size):
        ground = Image.new(image.mode, (size, size))
        ground.paste(small, where.corner)
        small = ground
    small.info = image.info
    return small


def fitted_values(values: NDArray[np.float64], size: int, fit: Fit) -> NDArray[np.floating[Any]]:
    """Return values (H, W, C) as a square, (C, size, size), resized in float32 as by `fitted`.

    An image of this size is returned as it is, in float64.
    """
    height, width, channels = values.shape
    if height == width == size:
        return values.transpose(2, 0, 1)
    where = place(width, height, size, fit)
    square = np.zeros((channels, size, size), np.float32)
    (across, down), (left, top) = where.size, where.corner
    for channel in range(channels):
        plane = Image.fromarray(np.ascontiguousarray(values[..., channel], np.float32))
        small = np.asarray(plane.resize(where.size, _BILINEAR, where.box))
        square[channel, top : top + down, left : left + across] = small
    return square
