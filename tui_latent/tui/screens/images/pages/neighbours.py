"""The training images nearest to an image in the latent space, and the most distant ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.charts.scatter import NO_LABEL
from tui_latent.tui.format import number
from tui_latent.tui.screens.images.pages.page import Page, PageRequest
from tui_latent.tui.screens.images.sheet import NEIGHBOURS, Sheet, verdict_tile

DISTANT = 12
"""most distant images, in a row"""


class NeighboursPage(Page):
    """Shows an image's neighbours; those of other classes are marked."""

    name, short = "neighbours", "Near"

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the nearest and the most distant images."""
        from tui_latent.analysis.class_extremes import most_distant

        place, label, size = self.run.place(wanted.index)
        found = self.run.inspector.neighbours(wanted.index, NEIGHBOURS)
        tiles = [
            verdict_tile(image, name, label, number(distance))
            for image, name, distance in zip(
                found.images, found.labels, found.distances, strict=True
            )
        ]
        counts = Counter(name or NO_LABEL for name in found.labels).most_common()
        votes = ", ".join(f"{name} ×{count}" for name, count in counts)
        voters = f"{len(tiles)} nearest {self.run.voters}"
        said = f"classes of the {voters}: {votes}" if any(found.labels) else voters
        facts = (place, said, *self.run.unseen())
        left = Tile(self.run.inspector.image(wanted.index), label or "this one", "bold")
        far = most_distant(self.run.source, wanted.index, DISTANT)
        distant = [
            Tile(image, f"{name} {number(distance)}".lstrip())
            for image, name, distance in zip(far.images, far.labels, far.distances, strict=True)
        ]
        yield Sheet(facts, left, tiles, size, below=distant, heading="farthest")
