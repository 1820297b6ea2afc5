"""Rings and discs, drawn on request: a source of images as a plugin.

tui-latent train examples/plugin_source.toml --plugin examples/plugin_source.py
"""

from typing import Any

import numpy as np

from tui_latent.sources.base import OwnSource, register
from tui_latent.sources.files.raw import RawImages, RawSplit


class Rings(OwnSource):
    """1,200 images of 16x16 pixels: a ring or a disc, of any size and anywhere."""

    def image_shape(self, path: str) -> tuple[int, int, int]:
        return 1, 16, 16

    def read(self, path: str) -> RawImages:
        """Return the images. A source with `needs_path=True` finds `data.path` in `path`."""
        images, labels = _drawn(1200, np.random.default_rng(0))
        return RawImages(
            "rings and discs",
            ("disc", "ring"),
            train=RawSplit(images[:1000], labels[:1000]),
            test=RawSplit(images[1000:], labels[1000:]),
        )


def _drawn(count: int, generator: np.random.Generator) -> tuple[Any, Any]:
    labels = generator.integers(0, 2, count)
    radius = generator.uniform(3, 6, (count, 1, 1))
    middle = generator.uniform(6, 10, (2, count, 1, 1))
    rows, columns = np.mgrid[:16, :16]
    distance = np.hypot(rows - middle[0], columns - middle[1])
    hole = np.where(labels[:, None, None] == 1, radius - 1.5, -1)
    edge = np.clip(radius - distance + 0.5, 0, 1) * np.clip(distance - hole + 0.5, 0, 1)
    return np.rint(255 * edge).astype(np.uint8)[:, None], labels


register(Rings(name="rings", heading="Drawn by a plugin"))
