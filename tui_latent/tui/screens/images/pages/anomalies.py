"""The held-out images least like the training images."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.format import number
from tui_latent.tui.screens.images.pages.page import Field, Page, PageRequest
from tui_latent.tui.screens.images.sheet import Sheet

if TYPE_CHECKING:
    from tui_latent.analysis.outlier_ranking import AnomalyRanking

IMAGES = 60
"""looked up at once; as many as fit are shown"""


class AnomaliesPage(Page):
    """Shows held-out images by their distance to the nearest training images."""

    name, short = "anomalies", "Odd"
    goes: ClassVar[tuple[Field, Field]] = ("rank", "rank")

    @cached_property
    def _ranking(self) -> AnomalyRanking:
        from tui_latent.analysis.outlier_ranking import AnomalyRanking

        return AnomalyRanking(self.run.source)

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the images from the requested rank on."""
        found = self._ranking.most_anomalous(IMAGES, wanted.rank)
        rows = zip(found.images, found.labels, found.scores, strict=True)
        tiles = [Tile(image, f"{name} {number(score)}".lstrip()) for image, name, score in rows]
        index = int(found.indices[0])
        label = f"label {found.labels[0]} · " if found.labels[0] else ""
        facts = (
            f"rank {wanted.rank:,} of 0–{found.size - 1:,}: held-out image {index:,} · "
            f"{label}other pages open with it",
            f"mean distance to the {found.k} nearest {self.run.voters} · "
            f"overall median {number(found.median)}",
        )
        left = Tile(tiles[0].image, tiles[0].caption, "bold")
        yield Sheet(facts, left, tiles[1:], found.size, index=index)
