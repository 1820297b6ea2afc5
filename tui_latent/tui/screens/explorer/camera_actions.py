"""Actions of the explorer that move the map, and turn a 3-D cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from textual import on
from textual.timer import Timer

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.screens.explorer.base import ExplorerBase
from tui_latent.tui.screens.explorer.look import is_cloud
from tui_latent.tui.screens.explorer.map import ExplorerMap
from tui_latent.tui.time_cursor import TimeCursor

_SPIN_SECONDS: Final = 0.2
_SPIN_SECONDS_REMOTE: Final = 1.0
"""over SSH, where a cloud turns only on request"""
_CELLS_PER_TURN: Final = 3
"""that the mouse is dragged to turn a cloud as far as one key press does"""


class CameraActions(ExplorerBase):
    """Pans the plane, or rotates a cloud, which turns slowly until a person rotates it."""

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__(path, drawer, time)
        self._spin: Timer | None = None
        self._spinning = True

    def on_mount(self) -> None:
        remote = self.app.animation_level == "none"
        self._spinning = not remote
        seconds = _SPIN_SECONDS_REMOTE if remote else _SPIN_SECONDS
        self._spin = self.set_interval(seconds, self._spin_on, pause=True)

    def action_pan(self, across: int, down: int) -> None:
        """Pan the map."""
        self._map.pan(4 * across, 2 * down)

    def action_rotate(self, across: int, down: int) -> None:
        """Rotate the cloud by hand."""
        self._stop_spinning()
        self._change_look(camera=self._look.camera.turned(across, down))

    @on(ExplorerMap.Dragged)
    def follow_mouse(self, message: ExplorerMap.Dragged) -> None:
        """Pan the map with the mouse, or rotate the cloud."""
        if is_cloud(self._result):
            self._stop_spinning()
            turns = message.columns / _CELLS_PER_TURN, 2 * message.rows / _CELLS_PER_TURN
            self._change_look(camera=self._look.camera.turned(*turns))
        else:
            self._map.pan(-message.columns, -message.rows)

    def action_spin(self) -> None:
        """Turn the cloud slowly, or stop."""
        self._spinning = not self._spinning
        self._update_spin()

    def _stop_spinning(self) -> None:
        if self._spinning and is_cloud(self._result):
            self._spinning = False
            self._update_spin()

    def _update_spin(self) -> None:
        """Let the cloud turn if one is shown."""
        if self._spin is not None:
            if self._spinning and is_cloud(self._result):
                self._spin.resume()
            else:
                self._spin.pause()
        self.refresh_bindings()

    def _spin_on(self) -> None:
        # Not while a drawing is still to come, and not behind another screen.
        if self.is_current and self._drawer.idle():
            self._change_look(camera=self._look.camera.spun())
