"""The most and the least typical images of a class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tui_latent.nouns import counted
from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.format import number
from tui_latent.tui.screens.images.pages.page import Field, Page, PageRequest
from tui_latent.tui.screens.images.sheet import Sheet

IMAGES = 40
"""of either kind; as many as fit are shown"""


class ExtremesPage(Page):
    """Shows the training images of a class by their distance from the mean of its latents."""

    name, short = "extremes", "Extremes"
    of_classes = True
    goes: ClassVar[tuple[Field, Field]] = ("label", "label")

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the images of the requested class."""
        from tui_latent.analysis.class_extremes import class_extremes

        found = class_extremes(self.run.source, wanted.label, IMAGES)
        near, far = (
            [
                Tile(image, number(distance))
                for image, distance in zip(ranked.images, ranked.distances, strict=True)
            ]
            for ranked in (found.nearest, found.farthest)
        )
        own = found.class_names[wanted.label]
        facts = (
            f"class {own} ({wanted.label} of 0–{len(found.class_names) - 1}) · "
            f"{counted(found.size, 'training image')}",
            "nearest to the class mean, the farthest below · "
            f"median distance {number(found.median)}",
            *self.run.unseen(),
        )
        left = Tile(near[0].image, f"{own} {near[0].caption}", "bold")
        count = len(found.class_names)
        yield Sheet(
            facts, left, near[1:] or far, count, below=far if near[1:] else (), heading="farthest"
        )
