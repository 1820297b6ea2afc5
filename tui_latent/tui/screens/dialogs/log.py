"""The log of a run, opened at its newest error."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name

_TRACEBACK, _FAILED = "Traceback (most recent call last)", "failed: "
_BEFORE = 5
"""lines shown above the error, which may say what led to it"""


class LogScreen(DialogScreen[None]):
    """Shows the last lines of a run's log; its newest error stands out."""

    CSS = """
    LogScreen { align: center middle; }
    LogScreen > VerticalScroll {
        width: 95%; height: 95%; padding: 0 1; border: round $accent; background: $surface;
        scrollbar-size-vertical: 1;
    }
    LogScreen Static { height: auto; }
    LogScreen #error { border-left: outer $error; padding-left: 1; color: $text-error; }
    """

    BINDINGS = bindings("log")

    def __init__(self, run: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._run, self._lines = run, tuple(lines)
        self._error = error_line(self._lines)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = Content(f"Log of {self._run}")
            box.border_subtitle = f"{key_name('log.close', self.app._keymap)} closes"
            for place, lines in (("before", self._lines[: self._error]), ("error", self._rest())):
                yield Static(Content("\n").join(map(Content, lines)), id=place)

    def _rest(self) -> tuple[str, ...]:
        return self._lines[self._error :]

    def on_mount(self) -> None:
        self.call_after_refresh(self._go_to_error)

    def _go_to_error(self) -> None:
        box = self.query_one(VerticalScroll)
        top = self.query_one("#error").virtual_region.y - _BEFORE
        box.scroll_to(y=max(top, 0), animate=False)

    def action_leave(self) -> None:
        """Close the log."""
        self.dismiss()


def error_line(lines: Sequence[str]) -> int:
    """Return the line at which the newest error or its traceback begins; without one, the end."""
    failed = max((n for n, line in enumerate(lines) if _FAILED in line), default=len(lines))
    traces = [n for n, line in enumerate(lines[:failed]) if _TRACEBACK in line]
    ends = [n for n, line in enumerate(lines[:failed]) if _FAILED in line]
    own = [n for n in traces if not ends or n > ends[-1]]
    return own[0] if own else failed
