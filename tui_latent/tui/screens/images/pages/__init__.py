"""The pages of the image viewer, in the order of display."""

from typing import Final

from tui_latent.tui.screens.images.pages.anomalies import AnomaliesPage
from tui_latent.tui.screens.images.pages.extremes import ExtremesPage
from tui_latent.tui.screens.images.pages.neighbours import NeighboursPage
from tui_latent.tui.screens.images.pages.page import Page
from tui_latent.tui.screens.images.pages.reconstructions import ReconstructionsPage
from tui_latent.tui.screens.images.pages.samples import SamplesPage
from tui_latent.tui.screens.images.pages.sliders import SlidersPage
from tui_latent.tui.screens.images.pages.views import ViewsPage
from tui_latent.tui.screens.images.pages.walk import WalkPage

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
