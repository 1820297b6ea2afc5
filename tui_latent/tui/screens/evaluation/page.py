"""The page of an evaluation: metrics, classes, ROC curves, confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import wrap
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from tui_latent.analysis.evaluation_table import confusion_reason
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.screens.evaluation.roc_panel import RocPanel
from tui_latent.tui.screens.evaluation.views import class_table, confusion_table, figures

Write = Callable[[int], Content]
"""writes a panel at a given width in cells"""

_WAITING: Final = "The metrics will appear here; the first time takes a few seconds."


class Panel(Static):
    """A titled panel that rewrites its content when its width changes."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(id=name, markup=False)
        self.border_title = title
        self._write: Write = lambda _: Content("")
        self._width = 0

    def show(self, write: Write) -> None:
        """Show what `write` returns for the panel's width."""
        self._write, self._width = write, 0
        self._rewrite()

    def on_resize(self) -> None:
        self._rewrite()

    def _rewrite(self) -> None:
        width = self.content_size.width
        if width > 0 and width != self._width:
            self._width = width
            self.update(self._write(width))


class EvaluationPage(Vertical):
    """Shows one evaluation; two panels side by side with the class `-wide`."""

    DEFAULT_CSS = """
    EvaluationPage { height: auto; }
    EvaluationPage > Container { height: auto; layout: vertical; }
    EvaluationPage.-wide > Container { layout: horizontal; }
    EvaluationPage Panel {
        height: auto; width: 1fr; padding: 0 1; text-wrap: nowrap;
        border: round $foreground 30%; border-title-color: $foreground;
    }
    EvaluationPage RocPanel { height: 17; width: 1fr; }
    """

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__()
        self._drawer = drawer

    def compose(self) -> ComposeResult:
        yield Panel("figures", "Metrics · held out unless stated, 95% intervals")
        with Container():
            yield Panel("classes", "Classes by kNN@20, held out · AUC as outliers")
            yield RocPanel(self._drawer)
        with Container():
            yield Panel("held-out", "Held out, kNN@20 · rows are true classes")
            yield Panel("training", "Training, leave-one-out, kNN@20")

    def on_mount(self) -> None:
        self.query_one("#figures", Panel).show(lambda _: Content.styled(_WAITING, "dim"))
        for container in self.query(Container):
            container.display = False

    def show(self, found: Mapping[str, Any]) -> None:
        """Show the results."""
        colored = not self.app.no_color
        for widget in self.children:
            widget.display = True
        self._panel("figures").show(lambda width: figures(found, width))
        self._panel("classes").show(lambda _: class_table(found, colored))
        self.query_one(RocPanel).show(found)
        for name, part in (("held-out", "knn_held_out"), ("training", "knn_train")):
            self._panel(name).show(_confusion(found, part, colored))

    def _panel(self, name: str) -> Panel:
        return self.query_one(f"#{name}", Panel)


def _confusion(found: Mapping[str, Any], part: str, colored: bool) -> Write:
    if reason := confusion_reason(found, part):
        return lambda width: Content.styled("\n".join(wrap(reason, max(width, 8))), "dim")
    matrix, names = found[part]["confusion"], found["class_names"]
    return lambda width: confusion_table(matrix, names, width, colored)
