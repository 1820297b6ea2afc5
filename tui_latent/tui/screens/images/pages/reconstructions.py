"""Images beside what the decoder makes of their latents."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from tui_latent.tui.charts.image_cells import stacked
from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.format import number
from tui_latent.tui.screens.images.pages.page import Page, PageRequest
from tui_latent.tui.screens.images.sheet import Sheet

if TYPE_CHECKING:
    from tui_latent.analysis.decoding import RunDecoder

PAIRS = 30
"""images decoded at once; as many as fit are shown"""


class ReconstructionsPage(Page):
    """Shows held-out images, each with its reconstruction below it."""

    name, short = "reconstructions", "Recon"
    decodes = True

    @cached_property
    def _decoder(self) -> RunDecoder:
        from tui_latent.analysis.decoding import RunDecoder

        return RunDecoder(self.run.source)

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the requested image and those after it."""
        place, _, size = self.run.place(wanted.index)
        indices = range(wanted.index, min(wanted.index + PAIRS, size))
        found = self._decoder.reconstruct(indices)
        pairs = zip(indices, found.originals, found.images, found.errors, strict=True)
        label = self.run.inspector.label
        tiles = [
            Tile(stacked(original, image), f"{label(index)} {number(error)}".lstrip())
            for index, original, image, error in pairs
        ]
        first = Tile(tiles[0].image, tiles[0].caption, "bold")
        facts = (
            place,
            "each image above its reconstruction · squared error of pixels in 0–1, "
            f"mean {number(float(found.errors.mean()))}",
        )
        yield Sheet(facts, first, tiles[1:], size)
