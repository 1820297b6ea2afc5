"""What all parts of the dashboard share: the run and its panels."""

from __future__ import annotations

from pathlib import Path

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.screens.dashboard.panels import RunPanels
from tui_latent.tui.time_cursor import TimeCursor


class DashboardBase(BaseScreen[None]):
    """Holds the state; each concept of the screen adds its actions in a class of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._snapshot = RunSnapshot(path)
        self._time = TimeCursor()

    @property
    def _is_read(self) -> bool:
        """Whether the run's folder has been read; a run from elsewhere may have no settings."""
        return bool(self._snapshot.preset or self._snapshot.provenance)

    @property
    def _panels(self) -> RunPanels:
        return self.query_one(RunPanels)
