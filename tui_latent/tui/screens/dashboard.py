"""The dashboard: one run, live or finished."""

from __future__ import annotations

from pathlib import Path

from textual.screen import Screen


class DashboardScreen(Screen[None]):
    """Show one run."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
