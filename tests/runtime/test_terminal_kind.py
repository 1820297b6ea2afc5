"""A progress bar is drawn where it can be drawn over, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.progress import Progress

from tui_latent.launch.progress import bar_or_lines
from tui_latent.runtime.terminal_kind import moves_cursor


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Bar:
    def __init__(self, stream: object, path: Path) -> None:
        self.progress = Progress(disable=True)


@pytest.mark.parametrize(
    ("stream", "term", "bar"),
    [
        (_Terminal(), "xterm-256color", True),
        (_Terminal(), "dumb", False),
        (_Terminal(), "", False),
        (io.StringIO(), "xterm-256color", False),
    ],
    ids=["terminal", "dumb terminal", "no name", "file"],
)
def test_a_bar_needs_a_terminal_with_a_cursor(
    stream: io.StringIO, term: str, bar: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert moves_cursor() == (term == "xterm-256color")
    with bar_or_lines(stream, Path("run"), _Bar, lambda *_: "lines") as shown:
        assert isinstance(shown, _Bar) == bar
