"""What the explorer shows when it is opened from a number: a class, or a confusion."""

from __future__ import annotations

from pathlib import Path

from textual import on

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.scatter import Scene
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.explorer.class_actions import ClassActions
from tui_latent.tui.screens.explorer.class_filter import ClassFilter
from tui_latent.tui.screens.explorer.confused import ConfusedImages
from tui_latent.tui.screens.explorer.search_actions import SearchActions
from tui_latent.tui.screens.explorer.views import MapResult
from tui_latent.tui.screens.explorer.worker import ConfusedFound
from tui_latent.tui.time_cursor import TimeCursor


class DoorActions(ClassActions, SearchActions):
    """Shows a class alone, or marks the images of one class that are taken for another."""

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__(path, drawer, time)
        self._pair: tuple[int, int] | None = None
        self._only: int | None = None
        self._cluster_of: int | None = None
        self._confused: ConfusedImages | None = None

    def enter_by(
        self,
        pair: tuple[int, int] | None = None,
        only: int | None = None,
        cluster_of: int | None = None,
    ) -> None:
        """Begin with the images of a true class taken for another, with one class alone, or with
        the cluster of a held-out image alone."""
        self._pair, self._only, self._cluster_of = pair, only, cluster_of
        if cluster_of is not None:
            self._coloring = "cluster"

    def _look_through_door(self, result: MapResult) -> None:
        """Show what the screen was opened for, on a map that was found."""
        if self._only is not None:
            self._change_look(filter=ClassFilter().only(self._only, len(self._class_names)))
            self._only = None
        if self._cluster_of is not None:
            row, self._cluster_of = result.row_of(self._cluster_of), None
            if row is None:
                self._status = "The image of that cluster is not among the points of this map."
            elif result.coloring.name == "cluster":
                cluster = int(result.parts.values[row])
                self._change_look(filter=ClassFilter().only(cluster, len(self._class_names)))
                self._map.select(row)
        if self._pair is not None:
            self._worker.request_confused(result, *self._pair)

    @on(ConfusedFound)
    def show_confused(self, message: ConfusedFound) -> None:
        """Mark the images of one class that are taken for another, and go to the first."""
        result = self._result
        if self._pair is None or result is None or message.found.space is not result.space:
            return
        first, self._confused = self._confused is None, message.found
        keys = self.app._keymap
        names = (key_name(f"explorer.{verb}", keys) for verb in ("find_next", "viewer", "all"))
        self._status = self._confused.words(*names)
        self._show_scene()
        self._show_line()
        if first and len(self._confused.indices):
            self._map.select(int(self._confused.indices[0]))

    def _marked(self, scene: Scene) -> Scene:
        """Return the scene with the confused images marked, while they are those of its map."""
        found, result = self._confused, self._result
        if found is None or result is None or found.space is not result.space:
            return super()._marked(scene)
        return found.on(scene)

    def action_all(self) -> None:
        """Show all classes."""
        if self._pair is not None:
            self._pair = self._confused = None
            self._status = ""
            self._show_line()
        super().action_all()

    def _find(self, way: int) -> None:
        """Go to another confused image; if something was searched, to another match."""
        if self._confused is None or self._query:
            super()._find(way)
        elif (index := self._confused.after(self._map.selected, way)) is not None:
            self._map.select(index)
