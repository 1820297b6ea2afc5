"""The chart of kNN accuracy; without labels, of how often the views of an image are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.flags import Flag
from tui_latent.tui.charts.line_chart import ChartOptions
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.first_values import when_evaluated
from tui_latent.tui.screens.dashboard.views import (
    KNN_FRONT,
    RETRIEVAL_FRONT,
    has_labels,
    knn_series,
    retrieval_series,
    why_missing,
)

_KNN: Final = ("kNN accuracy, held out", "kNN")
_RETRIEVAL: Final = (
    "View retrieval, held out · is the nearest latent the other view of the image?",
    "View retrieval, held out",
    "Views",
)


class AccuracyChart(CurveChart):
    """Shows the curves that say how well the latents tell images apart."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "knn", _KNN, ChartOptions(log=False, front=KNN_FRONT, ceiling=1.0))
        self._labelled = True

    @property
    def short_title(self) -> str:
        """What the chart is called on its tab."""
        return _KNN[-1] if self._labelled else _RETRIEVAL[-1]

    def show_run(self, snapshot: RunSnapshot, dark: bool, flags: Sequence[Flag]) -> None:
        """Show kNN, or view retrieval where there are no labels."""
        labelled = has_labels(snapshot) or "val/knn_20" in snapshot.curves
        if labelled != self._labelled:
            self._labelled = labelled
            front = KNN_FRONT if labelled else RETRIEVAL_FRONT
            self.set_options(replace(self.options, front=front))
        if labelled:
            hint, why = when_evaluated(snapshot, "kNN accuracy"), why_missing(snapshot, "val/knn")
            self.show(*knn_series(snapshot, dark), hint, why, _KNN, flags)
        else:
            hint, why = (
                when_evaluated(snapshot, "View retrieval"),
                why_missing(snapshot, "val/view"),
            )
            self.show(*retrieval_series(snapshot, dark), hint, why, _RETRIEVAL, flags)
