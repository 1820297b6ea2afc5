"""The evaluation of a run: the last one is shown at once, a new one is computed here.

It is computed in a thread, part by part; a line says which part is running, and it can be
cancelled between the chunks of each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.evaluation_errors import AssessmentError
from tui_latent.runs.evaluations import newest_evaluation
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError, RunSnapshot
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.keymap import KEYMAP, bindings
from tui_latent.tui.remapping import key_name, keys_of
from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.evaluation.cursor_panel import CursorPanel
from tui_latent.tui.screens.evaluation.events import (
    Cancelled,
    Ended,
    Opened,
    ProgressReported,
)
from tui_latent.tui.screens.evaluation.page import EvaluationPage
from tui_latent.tui.screens.evaluation.views import is_readable, measured_at
from tui_latent.tui.time_cursor import TimeCursor
from tui_latent.tui.widgets.cut_text import CutText
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.line_input import LineInput
from tui_latent.tui.widgets.verdict_line import VerdictLine
from tui_latent.verdict import Verdict, judge

if TYPE_CHECKING:
    from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

_WIDE: Final = 110
"""fewest columns at which two panels stand side by side"""


class EvaluationScreen(BaseScreen[None]):
    """Shows an evaluation, and computes a new one on request."""

    AUTO_FOCUS = ""
    CSS = """
    EvaluationScreen > #title {
        height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
    }
    EvaluationScreen > #doing { height: auto; max-height: 3; padding: 0 1; }
    EvaluationScreen > VerticalScroll { scrollbar-size-vertical: 1; }
    EvaluationScreen > Input {
        display: none; padding: 0 1; background: $panel;
    }
    EvaluationScreen.-asking > Input { display: block; }
    """

    ABOUT = "Everything that can be measured about a run's latents on held-out images."
    TERMS = (
        "val/knn_20",
        "interval",
        "probe/accuracy",
        "clustering/accuracy",
        "clustering/nmi",
        "clustering/ari",
        "clustering/silhouette",
        "map/trustworthiness",
        "map/continuity",
        "latent/effective_rank",
        "latent/uniformity",
        "latent/alignment",
        "confusion matrix",
        "anomaly/auc",
        "ROC, AUC",
    )
    BINDINGS = bindings("evaluation")

    def __init__(self, path: Path, drawer: WorkerThread) -> None:
        super().__init__()
        self.path = path
        self._drawer = drawer
        self._cancel = threading.Event()
        self._busy = False
        self._question: ConfirmScreen | None = None
        self._time = TimeCursor()
        self._snapshot = RunSnapshot(path)

    def compose(self) -> ComposeResult:
        yield Static(Content.styled(f"Evaluation · {self.path.name}", "bold"), id="title")
        yield VerdictLine()
        yield CutText(id="doing", markup=False)
        yield LineInput(
            placeholder="mnist, cifar10, folder:PATH, class:NAME, …   press Enter to evaluate"
        )
        with VerticalScroll(can_focus=False):
            yield EvaluationPage(self._drawer)
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(Input).can_focus = False
        self._say("Reading the last evaluation…")
        self._open()

    def on_unmount(self) -> None:
        self._cancel.set()

    def on_resize(self, event: events.Resize) -> None:
        """Put panels side by side if there is room."""
        self.query_one(EvaluationPage).set_class(event.size.width >= _WIDE, "-wide")

    # The last evaluation

    @work(thread=True, group="evaluation", exit_on_error=False)
    def _open(self) -> None:
        newest, verdict, problem, snapshot = None, None, "", RunSnapshot(self.path)
        found = newest_evaluation(self.path)
        whole = found if found is not None and is_readable(found) else None
        try:
            snapshot = RunReader(self.path).refresh()
            newest = snapshot.map.step if snapshot.map else None
            verdict = judge(snapshot, whole)
        except RunError as error:
            problem = str(error)
        self.post_message(Opened(whole, newest, verdict, snapshot))
        if problem:
            self.post_message(Ended(None, problem))

    @on(Opened)
    def show_last(self, event: Opened) -> None:
        """Show the last evaluation; if there is none, start one."""
        found, newest = event.found, event.newest
        self._snapshot = event.snapshot
        if self._snapshot.origin != "trained" and self._snapshot.class_names:
            names = ", ".join(f"class:{name}" for name in self._snapshot.class_names[:3])
            self.query_one(Input).placeholder = f"{names}, …   press Enter to evaluate"
        self.refresh_bindings()
        self.query_one(VerdictLine).show(event.verdict)
        if found is not None:
            self.query_one(EvaluationPage).show(found)
            behind = newest is not None and newest > found["step"]
            key = key_name("evaluation.run", self.app._keymap)
            self._say(
                f"step {found['step']:,} · newer latents at step {newest:,}: {key} evaluates"
                if behind
                else measured_at(found)
            )
        elif newest is None:
            watched = event.snapshot.origin == "watched"
            come = "training writes them at its first evaluation"
            come = "they appear when the loop hands them over" if watched else come
            self._say(f"No latents yet: {come}.")
            self.query_one(EvaluationPage).display = False
        else:
            self.action_evaluate()

    # A new evaluation

    def action_evaluate(self, outliers: str | None = None) -> None:
        """Evaluate the newest latents."""
        self._busy = True
        self._cancel = threading.Event()
        self.query_one(EvaluationPage).display = True
        self._say("Starting…")
        self._evaluate(outliers, self._cancel)
        self.refresh_bindings()

    @work(thread=True, group="evaluation", exit_on_error=False)
    def _evaluate(self, outliers: str | None, cancel: threading.Event) -> None:
        told = ""

        def tell(words: str) -> None:
            nonlocal told
            if cancel.is_set():
                raise Cancelled
            if words != told:
                told = words
                self.post_message(ProgressReported(words))

        try:
            found = evaluate_run(self.path, outliers, tell)
        except Cancelled:
            self.post_message(Ended(None, "Stopped. The previous evaluation is shown."))
        except AssessmentError as error:
            self.post_message(Ended(None, str(error)))
        else:
            verdict = _judged(self.path, found)
            self.post_message(Ended(found, found["missing"].get("outliers", ""), verdict))

    @on(ProgressReported)
    def show_progress(self, event: ProgressReported) -> None:
        """Say what is being computed."""
        if self._busy and not self._cancel.is_set():
            self._say(f"{event.words}…")

    @on(Ended)
    def show_found(self, event: Ended) -> None:
        """Show the results, or why there are none."""
        self._busy = False
        if self._question is not None:
            self._question.withdraw()
        if event.found is not None:
            self.query_one(EvaluationPage).show(event.found)
            self._say(event.found.get("unkept") or measured_at(event.found))
        if event.verdict is not None:
            self.query_one(VerdictLine).show(event.verdict)
        if event.words:
            self._say(event.words)
        self.refresh_bindings()

    @on(Worker.StateChanged)
    def show_failure(self, event: Worker.StateChanged) -> None:
        """Show the error of a thread instead of crashing."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.post_message(Ended(None, f"{type(error).__name__}: {error}"))

    def _say(self, words: str) -> None:
        self.query_one("#doing", Static).update(Content(words.replace("\n", " ")))

    # Doors

    @on(CursorPanel.Opened)
    def show_images(self, event: CursorPanel.Opened) -> None:
        """Show a class, a cluster, or the images of one class taken for another, on the map."""
        if event.cluster:
            row = self.query_one(EvaluationPage).clusters[event.truth]
            asked = messages.ExplorerRequested(self.path, self._time, cluster_of=row["image"])
            self.post_message(asked)
            return
        pair = None if event.called is None else (event.truth, event.called)
        only = event.truth if pair is None else None
        self.post_message(messages.ExplorerRequested(self.path, self._time, pair, only))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to stop while an evaluation runs, and to evaluate otherwise."""
        if action == "cancel":
            return self._busy
        if action == "outliers" and self._why_no_outliers:
            return False
        if action in ("evaluate", "outliers"):
            return not self._busy
        return True

    @property
    def _why_no_outliers(self) -> str:
        """Why nothing can be named as outliers; empty if something can."""
        snapshot = self._snapshot
        if snapshot.origin == "trained" or snapshot.class_names:
            return ""
        return (
            "Outliers of a run from elsewhere are one of its classes, because its network is not "
            "known here. This run has no labels: tui-latent label RUN --csv FILE adds them."
        )

    def why_inactive(self, key_id: str) -> str:
        """Say whether an evaluation is running."""
        if key_id == "evaluation.cancel":
            return "No evaluation is running."
        if key_id in ("evaluation.run", "evaluation.outliers") and self._busy:
            stop = key_name("evaluation.cancel", self.app._keymap)
            return f"An evaluation is running. {stop} stops it."
        return ""

    def on_key(self, event: events.Key) -> None:
        """Say why no outliers can be named when someone tries to."""
        row = next(row for row in KEYMAP["evaluation"] if row.id == "evaluation.outliers")
        if self._why_no_outliers and event.key in keys_of(row, self.app._keymap):
            event.stop()
            self.notify(self._why_no_outliers, title=row.label, timeout=8, markup=False)

    def action_cancel(self) -> None:
        """Ask whether to stop the evaluation; the results on the screen stay."""

        def stop() -> None:
            if self._busy:
                self._cancel.set()
                self._say("Stopping…")

        self._ask_to_stop("What it has measured so far is lost.", "Stop", stop)

    def _ask_to_stop(self, consequence: str, label: str, stop: Callable[[], object]) -> None:
        """Ask before a running evaluation is stopped; one that has ended needs no question."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def answer(yes: bool | None) -> None:
            if yes and self.is_mounted:
                stop()

        question = f"Stop the evaluation of {self.path.name}? {consequence}"
        self._question = ConfirmScreen("Evaluation", question, label)
        self.app.push_screen(self._question, answer)

    def action_outliers(self) -> None:
        """Ask for the name of the outliers."""
        self.add_class("-asking")
        box = self.query_one(Input)
        box.value = ""
        box.can_focus = True
        box.focus()

    @on(Input.Submitted)
    def take_outliers(self, event: Input.Submitted) -> None:
        """Evaluate with the outliers that were named."""
        self._stop_asking()
        if event.value.strip():
            self.action_evaluate(event.value.strip())

    def _stop_asking(self) -> None:
        self.remove_class("-asking")
        self.query_one(Input).can_focus = False
        self.set_focus(None)

    def action_scroll(self, to: str) -> None:
        """Scroll the page."""
        getattr(self.query_one(VerticalScroll), f"scroll_{to}")(animate=False)

    def action_back(self) -> None:
        """Close the question, or else the screen; ask first if that ends an evaluation."""
        if self.has_class("-asking"):
            self._stop_asking()
        elif self._busy:
            self._ask_to_stop("It ends when you leave.", "Leave", self.dismiss)
        else:
            self.dismiss()


def _judged(path: Path, found: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict with a new evaluation; None if the run cannot be read any more."""
    try:
        return judge(RunReader(path).refresh(), found)
    except RunError:
        return None
