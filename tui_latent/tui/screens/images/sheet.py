"""What an image page shows: images, lines of facts, marks on the map; or why it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.image_cells import Pixels
from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.charts.scatter import Mark, Scene, map_scene

NEIGHBOURS = 20
"""neighbours that are shown: those that vote in kNN@20"""


@dataclass(frozen=True, eq=False)
class Marks:
    """Places on the map that a page is about."""

    latent_map: LatentMap
    points: NDArray[np.float64]
    """(n, 2) in the map's coordinates; later ones cover earlier ones"""
    glyphs: Sequence[str]
    """(n,) a character each"""
    titles: Sequence[str]
    """from the fullest to the shortest"""

    def scene(self) -> Scene:
        """Return the map with these marks upon it."""
        places = zip(self.points.tolist(), self.glyphs, strict=True)
        marks = [Mark(x, y, glyph) for (x, y), glyph in places]
        return map_scene(self.latent_map, marks=marks, titles=lambda _: self.titles, source=self)


@dataclass(frozen=True, eq=False)
class SliderSpace:
    """The range of a run's sliders."""

    low: NDArray[np.float64]
    """(D,) the ends that 98 % of the training images lie between"""
    high: NDArray[np.float64]
    """(D,)"""
    starts: Sequence[tuple[str, NDArray[np.float64]]]
    """names and latents (D,) to start from: the overall mean, then that of each class"""
    image: tuple[str, NDArray[np.float64]] | None
    """the last held-out image shown, and its latent"""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Images and lines of facts, or why there are none."""

    facts: Sequence[str] = ()
    left: Tile | None = None
    others: Sequence[Tile] = ()
    size: int = 0
    """how many there are to step through; 0 if unknown"""
    problem: str = ""
    below: Sequence[Tile] = ()
    """in a last row of its own"""
    heading: str = ""
    """of that row"""
    all_shown: bool = False
    """whether every tile must be there, however small"""
    index: int | None = None
    """held-out image at the left, if the page steps through something else"""
    marks: Marks | None = None
    marks_follow: bool = False
    """whether the marks will follow"""
    sliders: SliderSpace | None = None


def views_sheet(images: Pixels, facts: Sequence[str], size: int) -> Sheet:
    """Make a sheet of (1 + views, H, W, C), the original first."""
    original, *views = images
    tiles = [Tile(view, f"view {number}") for number, view in enumerate(views, 1)]
    return Sheet(facts, Tile(original, "original", "bold"), tiles, size)


def images_sheet(images: Pixels, index: int, facts: Sequence[str]) -> Sheet:
    """Make a sheet of (N, H, W, C) images from one on, which is at the left, and round again."""
    order = [(index + step) % len(images) for step in range(len(images))]
    first, *others = (Tile(images[at], f"image {at}") for at in order)
    return Sheet(facts, Tile(first.image, first.caption, "bold"), others, len(images))


def verdict_tile(image: Pixels, name: str, expected: str, text: str) -> Tile:
    """Make a tile that names a class, marked if it is not the expected one.

    Either is empty without a label: then nothing is known to be wrong.
    """
    caption = f"{name} {text}".strip()
    if name == expected or not name or not expected:
        return Tile(image, caption)
    return Tile(image, f"✗ {caption}", "bold $text-error")
