"""The page of an evaluation: metrics, classes, ROC curves, confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content

from tui_latent.analysis.evaluation_table import class_rows, confusion_reason
from tui_latent.runs.confusion import confused_pairs
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.screens.evaluation.cursor_panel import (
    ClassPanel,
    ClusterPanel,
    MatrixPanel,
    Panel,
    Write,
)
from tui_latent.tui.screens.evaluation.roc_panel import RocPanel
from tui_latent.tui.screens.evaluation.spectrum_panel import SpectrumPanel
from tui_latent.tui.screens.evaluation.views import (
    class_table,
    cluster_rows,
    cluster_table,
    confusion_table,
    figures,
)
from tui_latent.tui.wrapping import wrap

_WAITING: Final = "The metrics will appear here; the first time takes a few seconds."


class EvaluationPage(Vertical):
    """Shows one evaluation; two panels side by side with the class `-wide`."""

    DEFAULT_CSS = """
    EvaluationPage { height: auto; }
    EvaluationPage > Container { height: auto; layout: vertical; }
    EvaluationPage.-wide > Container { layout: horizontal; }
    EvaluationPage Panel {
        height: auto; width: 1fr; padding: 0 1; text-wrap: nowrap;
        border: round $foreground 30%; border-title-color: $foreground;
        border-subtitle-color: $text-muted;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    EvaluationPage RocPanel { height: 17; width: 1fr; }
    EvaluationPage SpectrumPanel { height: 12; width: 1fr; }
    """

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__()
        self._drawer = drawer
        self.clusters: Sequence[Mapping[str, Any]] = ()
        """the clusters of the evaluation that is shown, as its file has them"""

    def compose(self) -> ComposeResult:
        yield Panel("figures", "Metrics · held out unless stated, 95 % intervals")
        with Container():
            yield ClassPanel("classes", "Classes by kNN@20, held out · AUC as outliers")
            yield RocPanel(self._drawer)
        yield SpectrumPanel(self._drawer)
        yield ClusterPanel("clusters", "Clusters by k-means, held out")
        with Container(id="matrices"):
            yield MatrixPanel("held-out", "Held out, kNN@20 · rows are true classes")
            yield Panel("training", "Training, leave-one-out, kNN@20")

    def on_mount(self) -> None:
        self.query_one("#figures", Panel).show(lambda _: Content.styled(_WAITING, "dim"))
        for container in self.query(Container):
            container.display = False
        self.query_one(ClusterPanel).display = False
        self.query_one(SpectrumPanel).display = False

    def show(self, found: Mapping[str, Any]) -> None:
        """Show the results."""
        colored = not self.app.no_color
        for widget in self.children:
            widget.display = True
        self._panel("figures").show(lambda width: figures(found, width))
        self.query_one(ClassPanel).show_cells(
            lambda _, at: class_table(found, colored, None if at is None else at[0]),
            (len(class_rows(found)), 1),
        )
        self.query_one(RocPanel).show(found)
        self.query_one(SpectrumPanel).show(found)
        self._show_clusters(found)
        self._show_of_labels(found)
        self._show_held_out(found, colored)
        self._panel("training").show(_confusion(found, "knn_train", colored))

    def _show_clusters(self, found: Mapping[str, Any]) -> None:
        panel, rows = self.query_one(ClusterPanel), cluster_rows(found)
        self.clusters = rows
        panel.display = bool(rows)  # evaluations of earlier versions have none
        panel.show_cells(
            lambda width, at: cluster_table(rows, width, None if at is None else at[0]),
            (len(rows), 1),
        )

    def _show_of_labels(self, found: Mapping[str, Any]) -> None:
        """Hide the panels that need labels where there are none: the metrics say so once."""
        labelled = bool(found["class_names"])
        self.query_one(ClassPanel).display = labelled
        self.query_one(RocPanel).display = labelled or bool(found["outliers"])
        self.query_one("#matrices").display = labelled

    def _show_held_out(self, found: Mapping[str, Any], colored: bool) -> None:
        panel, part = self.query_one(MatrixPanel), "knn_held_out"
        if confusion_reason(found, part):
            why = _confusion(found, part, colored)
            panel.show_cells(lambda width, _: why(width), (0, 0))
            return
        matrix, names = found[part]["confusion"], found["class_names"]
        worst = confused_pairs(matrix, 1)
        panel.show_cells(
            lambda width, at: confusion_table(matrix, names, width, colored, at),
            (len(matrix), len(matrix)),
            worst[0][:2] if worst else (0, 0),
        )

    def _panel(self, name: str) -> Panel:
        return self.query_one(f"#{name}", Panel)


def _confusion(found: Mapping[str, Any], part: str, colored: bool) -> Write:
    if reason := confusion_reason(found, part):
        return lambda width: Content.styled("\n".join(wrap(reason, max(width, 8))), "dim")
    matrix, names = found[part]["confusion"], found["class_names"]
    return lambda width: confusion_table(matrix, names, width, colored)
