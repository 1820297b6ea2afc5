"""The run's log: the newest lines, following the end until someone scrolls up."""

from __future__ import annotations

from textual.widgets import Log


class LogPanel(Log, can_focus=True):
    """Shows the last lines of `train.log` as plain text."""

    DEFAULT_CSS = """
    LogPanel {
        border: round $foreground 30%;
        border-title-color: $foreground;
        background: transparent;
        scrollbar-size: 1 1;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="log", max_lines=1000)
        self.border_title = "Log"
        self._shown: tuple[str, ...] = ()

    def show(self, lines: tuple[str, ...]) -> None:
        """Show lines, oldest first; only those that are new are added."""
        if lines is self._shown:
            return
        new = _added(self._shown, lines)
        if new is None:
            self.clear()
            new = lines
        self._shown = lines
        self.write_lines(new)


def _added(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what `new` has after the end of `old`; None when it does not go on from there."""
    if not old:
        return new
    for end in range(len(new), 0, -1):
        if new[end - 1] == old[-1] and new[:end][-len(old) :] == old[-end:]:
            return new[end:]
    return None
