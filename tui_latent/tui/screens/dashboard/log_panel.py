"""The run's log: it follows the newest lines until someone scrolls up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from textual.widgets import Log

from tui_latent.nouns import counted
from tui_latent.tui.wrapping import wrap

_TIME: Final = 9
"""cells of the time at the start of a line"""
_EMPTY: Final = "No output yet."


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
        self._wrapped_at = 0
        """width that the lines are wrapped to"""
        self._following = True
        self._unseen = 0
        """lines that came since someone scrolled up"""
        self._placing = False
        """whether this panel scrolls itself, not a person"""

    def show(self, lines: tuple[str, ...]) -> None:
        """Show lines, oldest first; only those that are new are added."""
        if lines == self._shown:
            return
        new = _added(self._shown, lines)
        if new is None:
            self.clear()
            self._following = True
            new = lines
        self._shown = lines
        self._unseen = 0 if self._following else self._unseen + len(new)
        self._write(new)
        self._say()

    def on_resize(self) -> None:
        """Wrap the lines to the new width, and stay at the same line."""
        lines = 0 if self._following else self._lines_below_top()
        with self._placed():
            self.clear()
            self._write(self._shown)
            if lines:
                rows = sum(self._rows(line, self._wrapped_at) for line in self._shown[-lines:])
                self.scroll_to(y=self.line_count - rows, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the newest lines when someone scrolls to the end, and stop when they scroll up."""
        super().watch_scroll_y(old_value, new_value)
        if not self._placing:
            self._follow(new_value >= self.max_scroll_y)

    def action_scroll_end(self) -> None:
        """Go to the newest line, and follow from here on."""
        self._follow(True)
        self._to_end()

    def _follow(self, following: bool) -> None:
        if following != self._following:
            self._following = following
            self._unseen = 0
            self._say()

    def _say(self) -> None:
        words = "" if self._shown else _EMPTY
        if self._unseen:
            them = "it" if self._unseen == 1 else "them"
            words = f"{counted(self._unseen, 'new line')} · End shows {them}"
        if words != self.border_subtitle:  # setting it repaints the panel
            self.border_subtitle = words

    def _write(self, lines: tuple[str, ...]) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        with self._placed():
            self._wrapped_at = width
            wrapped = [part for line in lines for part in _wrapped(line, width)]
            self.write_lines(wrapped, scroll_end=False)
            if self._following:
                self._to_end()

    def _to_end(self) -> None:
        with self._placed():
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    def _lines_below_top(self) -> int:
        """Return how many of the newest lines begin at or below the top of what is visible."""
        below = self.line_count - round(self.scroll_y)
        for count, line in enumerate(reversed(self._shown), start=1):
            below -= self._rows(line, self._wrapped_at)
            if below <= 0:
                return count
        return len(self._shown)

    @staticmethod
    def _rows(line: str, width: int) -> int:
        return len(_wrapped(line, width))

    @contextmanager
    def _placed(self) -> Iterator[None]:
        before, self._placing = self._placing, True
        try:
            yield
        finally:
            self._placing = before


def _wrapped(line: str, width: int) -> list[str]:
    """Wrap a line at words; continuation lines are indented past the time."""
    indent = " " * min(_TIME, width // 2)
    return wrap(line, width, indent) or [""]


def _added(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what `new` appends to `old`; None when it is not a continuation."""
    if not old:
        return new
    for end in range(len(new), 0, -1):
        if new[end - 1] == old[-1] and new[:end][-len(old) :] == old[-end:]:
            return new[end:]
    return None
