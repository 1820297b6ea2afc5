"""The spectrum of the latents: the variance along each principal axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from tui_latent.analysis.spectrum_words import drawable_spectrum, spectrum_words
from tui_latent.map_frame import Frame
from tui_latent.palettes import RGB, series_color
from tui_latent.tui.charts.axes import step_axis, value_axis
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.charts.plotext_plot import Axis, Layer, canvas_size, draw_plot
from tui_latent.tui.charts.raster import Floats, curve_cells
from tui_latent.tui.wrapping import wrap

_TITLES: Final = (
    "Spectrum · variance along each principal axis, logarithmic",
    "Spectrum · variance by axis, logarithmic",
    "Spectrum",
)


class SpectrumPanel(ChartPanel, can_focus=False):
    """Draws the spectrum of an evaluation below what it says."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "spectrum")
        self._variances: Floats = np.zeros(0)
        self._words = ""

    def show(self, found: Mapping[str, Any]) -> None:
        """Show a spectrum; nothing is shown of too few axes."""
        self._variances = drawable_spectrum(found)
        self.display = bool(len(self._variances))
        if self.display:
            self._words = spectrum_words(found)
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Draw the spectrum held now."""
        variances, words = self._variances, self._words
        color = None if self.app.no_color else series_color(1, self.app.current_theme.dark)
        return lambda: Drawing(draw_spectrum(variances, words, width, height, color), _TITLES)


def draw_spectrum(
    variances: Floats, words: str, width: int, height: int, color: RGB | None
) -> list[Strip]:
    """Write what a spectrum says, and below it draw the variances (D,), all above 0."""
    lines = wrap(words, max(width, 10))[: max(height // 3, 1)]
    said = [Strip([Segment(line.ljust(width))], width) for line in lines]
    if not len(variances):
        return said
    rows = height - len(said)
    y = np.log10(variances)
    # A spectrum without any slope, as of whitened latents, needs a frame of some height.
    margin = max(0.05 * float(y.max() - y.min()), 0.1)
    bottom, top = float(y.min()) - margin, float(y.max()) + margin
    across, up = canvas_size(width, rows, Axis((), ()), value_axis(bottom, top, rows, log=True))
    if across < 2 or up < 2:
        return said
    x = np.arange(1.0, len(y) + 1)
    frame = Frame(1.0, float(len(y)), bottom, top)
    layer = Layer(curve_cells(x, y, y, frame, across, up), color)
    axes = step_axis(1.0, float(len(y)), across), value_axis(bottom, top, up, log=True)
    return [*said, *draw_plot([layer], width, rows, *axes)]
