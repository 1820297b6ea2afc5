"""The pages of the image viewer, in the order of display."""

from typing import Final

from tui_latent.tui.viewer_pages.anomalies import AnomaliesPage
from tui_latent.tui.viewer_pages.extremes import ExtremesPage
from tui_latent.tui.viewer_pages.neighbours import NeighboursPage
from tui_latent.tui.viewer_pages.page import Page
from tui_latent.tui.viewer_pages.reconstructions import ReconstructionsPage
from tui_latent.tui.viewer_pages.samples import SamplesPage
from tui_latent.tui.viewer_pages.sliders import SlidersPage
from tui_latent.tui.viewer_pages.views import ViewsPage
from tui_latent.tui.viewer_pages.walk import WalkPage

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
