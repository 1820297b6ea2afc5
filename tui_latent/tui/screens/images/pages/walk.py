"""The straight line between two images in the latent space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.format import number
from tui_latent.tui.screens.images.pages.page import Field, Page, PageRequest
from tui_latent.tui.screens.images.sheet import Marks, Sheet

if TYPE_CHECKING:
    from tui_latent.analysis.map_projection import NewestMap

STEPS = 8
"""latents on the line, including both ends; each is a digit on the map"""
_WAYS: Final = {
    True: "decoded · {what} of the nearest of the {voters}",
    False: "no decoder: {voters} nearest to the line · {what}",
}


class WalkPage(Page):
    """Shows the images on the line; without a decoder, the training images nearest to it."""

    name, short = "walk", "Interp"
    goes: ClassVar[tuple[Field, Field]] = ("index", "other")

    @cached_property
    def _newest_map(self) -> NewestMap:
        from tui_latent.analysis.map_projection import NewestMap

        return NewestMap(self.run.source)

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the interpolation, and its path on the map if that is known."""
        from tui_latent.analysis import InspectionError
        from tui_latent.analysis.interpolation import walk

        _, label, size = self.run.place(wanted.index)
        end = min(wanted.other, size - 1)
        found = walk(self.run.source, wanted.index, end, STEPS)
        images = self.run.inspector
        steps = zip(found.images, found.labels, found.distances, strict=True)
        tiles = [
            Tile(image, f"{name} {number(distance)}".lstrip()) for image, name, distance in steps
        ]
        start = Tile(images.image(wanted.index), f"from {label or wanted.index}", "bold")
        last = Tile(images.image(end), f"to {images.label(end) or end}", "bold")
        what = "class and distance" if any(found.labels) else "distance"
        what += f" (≤ {number(float(found.distances.max()))})"
        way = _WAYS[found.decoded].format(what=what, voters=self.run.voters)
        facts = (
            f"from image {wanted.index:,} (↑↓) to {end:,} (←→) of 0–{size - 1:,} · "
            f"length {number(found.length)}",
            way,
            *(() if found.decoded else self.run.unseen()),
        )
        sheet = Sheet(facts, start, [*tiles, last], size, all_shown=True)
        try:
            latent_map, points = self._newest_map.place(found.latents)
        except InspectionError:
            yield sheet
            return
        titles = (f"interpolation, 0 to {STEPS - 1} · step {latent_map.step:,}", "interpolation")
        glyphs = [str(step) for step in range(STEPS)]
        yield replace(sheet, marks=Marks(latent_map, points[::-1], glyphs[::-1], titles))
