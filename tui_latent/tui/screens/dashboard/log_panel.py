"""The run's log: it follows the newest lines until someone scrolls up."""

from __future__ import annotations

import textwrap
from typing import Final

from textual.widgets import Log

_TIME: Final = 9
"""cells of the time at the start of a line"""
_EMPTY: Final = "no output yet"


class LogPanel(Log, can_focus=True):
    """Shows the last lines of `train.log` as plain text."""

    DEFAULT_CSS = """
    LogPanel {
        border: round $foreground 30%;
        border-title-color: $foreground;
        background: transparent;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $foreground 30%;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="log", max_lines=1000)
        self.border_title = "Log"
        self.border_subtitle = _EMPTY
        self._shown: tuple[str, ...] = ()

    def show(self, lines: tuple[str, ...]) -> None:
        """Show lines, oldest first; only those that are new are added."""
        if lines == self._shown:
            return
        self.border_subtitle = "" if lines else _EMPTY  # setting it repaints the panel
        new = _added(self._shown, lines)
        if new is None:
            self.clear()
            new = lines
        self._shown = lines
        self._write(new)

    def on_resize(self) -> None:
        """Wrap the lines to the new width."""
        self.clear()
        self._write(self._shown)

    def _write(self, lines: tuple[str, ...]) -> None:
        width = self.scrollable_content_region.width
        if width > 0:
            self.write_lines([part for line in lines for part in _wrapped(line, width)])


def _wrapped(line: str, width: int) -> list[str]:
    """Wrap a line at words; continuation lines are indented past the time."""
    indent = " " * min(_TIME, width // 2)
    return textwrap.wrap(line, width, subsequent_indent=indent) or [""]


def _added(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what `new` appends to `old`; None when it is not a continuation."""
    if not old:
        return new
    for end in range(len(new), 0, -1):
        if new[end - 1] == old[-1] and new[:end][-len(old) :] == old[-end:]:
            return new[end:]
    return None
