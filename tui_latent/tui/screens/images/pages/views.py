"""The augmented views of an image, and where they fall on the map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tui_latent.tui.format import number
from tui_latent.tui.screens.images.pages.page import Page, PageRequest
from tui_latent.tui.screens.images.sheet import Marks, Sheet, verdict_tile, views_sheet
from tui_latent.tui.screens.menu.preset_summary import view_words

if TYPE_CHECKING:
    from tui_latent.analysis.view_spread import ViewSpread, ViewSpreads

VIEWS = 24
"""views drawn; as many as fit are shown, and all are placed on the map"""


class ViewsPage(Page):
    """Shows random views of a held-out image, as training generates them."""

    name, short = "views", "Views"
    draws = True

    @cached_property
    def _landings(self) -> ViewSpreads:
        from tui_latent.analysis.view_spread import ViewSpreads

        return ViewSpreads(self.run.source)

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the views, then where they fall on the map."""
        from tui_latent.analysis import InspectionError

        place, label, size = self.run.place(wanted.index)
        views = self.run.inspector.augmentations([wanted.index], VIEWS, wanted.draw)[0]
        source = self.run.source
        channels = source.channel_count() or 3
        words = " · ".join(view_words(source.own_preset().augment, channels))
        sheet = views_sheet(views, (f"{place} · draw {wanted.draw + 1}", words), size)
        yield replace(sheet, marks_follow=True)
        try:
            landing = self._landings.land(wanted.index, VIEWS, wanted.draw)
        except InspectionError as error:
            yield replace(
                sheet, facts=(*sheet.facts, f"their place on the map is unknown: {error}")
            )
            return
        captions = zip(views[1:], landing.labels, landing.distances, strict=True)
        tiles = [verdict_tile(view, name, label, number(far)) for view, name, far in captions]
        facts = (*sheet.facts, view_spread_words(landing, label))
        yield replace(sheet, others=tiles, facts=facts, marks=_marks(landing))


def view_spread_words(landing: ViewSpread, label: str) -> str:
    """Say how far the views spread, how far neighbours are, and which classes are nearest."""
    right = sum(name == label for name in landing.labels)
    words = [
        f"90 % of views within {number(landing.radius)} "
        f"({_ordinal(landing.neighbour)} neighbour {number(landing.usual)})",
    ]
    if label:
        words.append(f"{right} of {len(landing.labels)} nearest to class {label}")
    if landing.weights_step != landing.map.step:
        words.append(f"weights of step {landing.weights_step:,}")
    return " · ".join(words)


def _ordinal(place: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10 if place // 10 != 1 else 0, "th")
    return f"{place}{ending}"


def _marks(landing: ViewSpread) -> Marks:
    step = landing.map.step
    views = len(landing.points)
    return Marks(
        landing.map,
        np.concatenate([landing.points, landing.original[None]]),
        ["+"] * views + ["◆"],
        (
            f"◆ image, + its {views} views · step {step:,}",
            f"◆ image, + views · step {step:,}",
            "◆ image, + views",
        ),
    )
