"""The pages of the image viewer, in the order of display."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from tui_latent.tui.screens.images.pages.anomalies import AnomaliesPage
from tui_latent.tui.screens.images.pages.extremes import ExtremesPage
from tui_latent.tui.screens.images.pages.neighbours import NeighboursPage
from tui_latent.tui.screens.images.pages.page import Page
from tui_latent.tui.screens.images.pages.reconstructions import ReconstructionsPage
from tui_latent.tui.screens.images.pages.samples import SamplesPage
from tui_latent.tui.screens.images.pages.sliders import SlidersPage
from tui_latent.tui.screens.images.pages.views import ViewsPage
from tui_latent.tui.screens.images.pages.walk import WalkPage

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset

PAGES: Final[tuple[type[Page], ...]] = (
    ViewsPage,
    NeighboursPage,
    ReconstructionsPage,
    SamplesPage,
    SlidersPage,
    WalkPage,
    ExtremesPage,
    AnomaliesPage,
)

_FIRST: Final = ("views", "reconstructions", "neighbours")
"""pages to open with: what training sees, else what the latents say; one of them is never empty"""


def empty_pages(preset: Preset | None) -> dict[str, str]:
    """Return the pages that a run of this preset (None: not trained here) leaves empty, and why."""
    from tui_latent.analysis.augmented import no_augmentation
    from tui_latent.analysis.decoding import no_decoder

    undecoded, unaugmented = no_decoder(preset), no_augmentation(preset)
    empty = {page.name: undecoded for page in PAGES if page.decodes and undecoded}
    return empty | ({ViewsPage.name: unaugmented} if unaugmented else {})


def first_page(empty: Collection[str]) -> str:
    """Return the first page that says something."""
    return next(page for page in _FIRST if page not in empty)
