"""One slider per latent dimension, and the decoded image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.screens.images.pages.page import Page, PageRequest
from tui_latent.tui.screens.images.sheet import Marks, Sheet, SliderSpace

if TYPE_CHECKING:
    from tui_latent.analysis.cache import Cache
    from tui_latent.analysis.decoding import RunDecoder
    from tui_latent.analysis.map_projection import NewestMap
    from tui_latent.analysis.run_latents import RunLatents


class SlidersPage(Page):
    """Decodes the latent that the sliders are set to; needs no images."""

    name, short = "sliders", "Sliders"
    decodes = True

    @cached_property
    def _decoder(self) -> RunDecoder:
        from tui_latent.analysis.decoding import RunDecoder

        return RunDecoder(self.run.source)

    @cached_property
    def _newest_map(self) -> NewestMap:
        from tui_latent.analysis.map_projection import NewestMap

        return NewestMap(self.run.source)

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the decoded latent, and its place on the map if that is known."""
        from tui_latent.analysis import InspectionError

        latents = self.run.source.latents()
        space = self._space(latents, wanted.index)
        start = space.starts[0][1]
        latent = start if wanted.latent is None else np.array(wanted.latent)
        if len(latent) != len(start):
            latent = start
        image = self._decoder.decode(latent[None])[0]
        facts = ("thick: range of 98 % of the training images · *: moved",)
        sheet = Sheet(facts, Tile(image, "decoded", "bold"), sliders=space)
        try:
            latent_map, points = self._newest_map.place(latent[None])
        except InspectionError:
            yield sheet
            return
        titles = (f"◆ the sliders · step {latent_map.step:,}", "◆ the sliders")
        marks = Marks(latent_map, points, ["◆"], titles)
        yield replace(sheet, marks=marks)

    def _space(self, latents: RunLatents, index: int) -> SliderSpace:
        space = self._ranges.of(latents)
        if index >= len(latents.queries):
            return space
        image = f"image {index:,}", latents.queries[index].double().numpy()
        return replace(space, image=image)

    @cached_property
    def _ranges(self) -> Cache[SliderSpace]:
        from tui_latent.analysis.cache import Cache

        return Cache(lambda latents: self._measured())

    def _measured(self) -> SliderSpace:
        from tui_latent.analysis.latent_stats import latent_ranges

        found = latent_ranges(self.run.source)
        starts = [("the overall mean", found.mean)]
        means = zip(found.class_names, found.class_means, strict=True)
        starts += [(f"the mean of {name}", mean) for name, mean in means if np.isfinite(mean).all()]
        return SliderSpace(found.low, found.high, starts, None)
