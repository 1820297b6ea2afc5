"""The runs that are waiting for this machine, and what they are waiting for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_latent.tui import messages
from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.notices import NO_CHANGE
from tui_latent.tui.remapping import key_name
from tui_latent.tui.thread_failures import TellsFailures
from tui_latent.tui.widgets.line_list import LineList

_EVERY = 2.0
"""seconds between two reads of the queue"""
_EMPTY = "No run is waiting."


class _Waiting(LineList):
    BINDINGS = bindings("queue list")


class QueueScreen(TellsFailures, DialogScreen[None]):
    """Shows the queue; runs can be moved or removed, and a queue that is not running started."""

    CSS = """
    QueueScreen { align: center middle; }
    QueueScreen > Vertical {
        width: 76; max-width: 90%; height: auto; max-height: 90%; padding: 0 1;
        border: round $accent; background: $surface;
    }
    QueueScreen LineList { height: auto; max-height: 12; background: transparent; }
    QueueScreen Static { height: auto; }
    QueueScreen .keys { color: $text-muted; }
    """

    BINDINGS = bindings("queue")

    def __init__(self, folder: Path) -> None:
        """`folder` holds the runs."""
        super().__init__()
        self._folder = folder
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        keymap = self.app._keymap
        earlier, later, out, go, close = (
            key_name(f"queue.{verb}", keymap) for verb in ("up", "down", "remove", "work", "close")
        )
        with Vertical() as box:
            box.border_title = "Queue"
            yield Static(classes="said", markup=False)
            yield _Waiting()
            yield Static(
                f"{earlier} {later} move a run · {out} removes it (its folder stays) · "
                f"{go} starts the queue if it is stopped · {close} closes",
                classes="keys",
                markup=False,
            )

    def on_mount(self) -> None:
        self.set_focus(self.query_one(_Waiting))
        self.set_interval(_EVERY, self._look)
        self._look()

    @work(thread=True, group="queue", exclusive=True, exit_on_error=False)
    def _look(self) -> None:
        from tui_latent.launch.queue import training_here
        from tui_latent.runs.queue import is_worked_on, queued_runs

        names = queued_runs(self._folder)
        worked = is_worked_on(self._folder)
        before = training_here(self._folder) if names else ""
        self.app.call_from_thread(self._show, names, worked, before)

    def _show(self, names: list[str], worked: bool, before: str) -> None:
        if not self.is_mounted:
            return
        self._names = names
        self.query_one(".said", Static).update(queue_words(len(names), worked, before))

        def write(index: int, width: int) -> Content:
            return Content(f" {index + 1}  {names[index]}")

        self.query_one(_Waiting).show(names, write)

    @property
    def _chosen(self) -> str | None:
        cursor = self.query_one(_Waiting).cursor
        return self._names[cursor] if self._names else None

    def action_shift(self, by: int) -> None:
        """Move the run under the cursor earlier or later."""
        from tui_latent.runs.queue import move_in_queue

        name, place = self._chosen, self.query_one(_Waiting).cursor + by
        if name is None:
            self._tell_no_change(_EMPTY)
        elif not 0 <= place < len(self._names):
            self._tell_no_change(f"{name} is the {'first' if by < 0 else 'last'} already.")
        else:
            self._change(lambda: move_in_queue(self._folder, name, by))

    def action_remove(self) -> None:
        """Remove the run under the cursor from the queue."""
        from tui_latent.runs.queue import remove_from_queue

        if (name := self._chosen) is None:
            self._tell_no_change(_EMPTY)
        else:
            self._change(lambda: remove_from_queue(self._folder, name))

    def _tell_no_change(self, words: str) -> None:
        self.notify(words, title=NO_CHANGE, timeout=3, markup=False)

    def _change(self, change: Callable[[], object]) -> None:
        from tui_latent.runs.schema import RunError

        try:
            change()
        except RunError as error:
            self.notify(str(error), title="Queue", severity="error", markup=False)
        self._look()

    @on(LineList.Selected)
    def work_on_it(self, event: LineList.Selected) -> None:
        """Start a process that works on the queue."""
        event.stop()
        self.post_message(messages.QueueStartRequested(self._folder))


def queue_words(waiting: int, worked: bool, before: str) -> str:
    """Return how many runs are waiting, and for what."""
    if not waiting:
        return "No run is waiting. To queue a run, start it while another one is training."
    runs = "1 run is waiting" if waiting == 1 else f"{waiting} runs are waiting"
    if not worked:
        return f"{runs}, but the queue is stopped: its process has ended."
    if before:
        return f"{runs} for {before} to end, even if the dashboard is closed."
    return f"{runs}; the next one is about to start."
