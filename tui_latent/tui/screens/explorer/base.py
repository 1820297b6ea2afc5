"""What all parts of the explorer's screen share: the run, what is shown of it, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.scatter import Scene
from tui_latent.tui.run_watcher import RunWatcher
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.screens.explorer.change_list import ChangeList
from tui_latent.tui.screens.explorer.colorings import COLORINGS, ColoringName, coloring_names
from tui_latent.tui.screens.explorer.look import Look, make_scene
from tui_latent.tui.screens.explorer.map import ExplorerMap
from tui_latent.tui.screens.explorer.point_panel import PointPanel
from tui_latent.tui.screens.explorer.trails import BEFORE
from tui_latent.tui.screens.explorer.views import (
    MapRequest,
    MapResult,
    line_words,
)
from tui_latent.tui.screens.explorer.worker import (
    ExplorerWorker,
)
from tui_latent.tui.time_cursor import TimeCursor
from tui_latent.tui.widgets.film_strip import FilmStrip
from tui_latent.tui.widgets.time_badge import TimeBadge

if TYPE_CHECKING:
    from tui_latent.analysis.projections import ProjectionName


_KEPT: Final = ("regions", "thumbnails", "trails")
"""of the look, what is kept for each run"""


class ExplorerBase(BaseScreen[None]):
    """Holds the state; each concept of the screen adds its actions in a class of its own."""

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__()
        self.path = path
        self._time = time or TimeCursor()
        self._drawer = drawer
        self._watcher = RunWatcher(path, self.post_message)
        self._worker = ExplorerWorker(path, self._post)
        self._snapshot = RunSnapshot(path)
        self._result: MapResult | None = None
        self._requested: MapRequest | None = None
        self._coloring: ColoringName = COLORINGS[0]
        self._named = 0
        self._projection: ProjectionName = "map"
        self._look = Look()
        self._film_wanted: bool | None = None
        """whether the film strip is shown; None leaves it to the height of the screen"""
        self._status = self._line = ""

    def look_as(self, kept: Mapping[str, Any]) -> None:
        """Show the map as it was last shown; what is kept may come from another version."""
        if isinstance(color := kept.get("color"), str):
            self._coloring = color
        switches = {name: kept[name] for name in _KEPT if isinstance(kept.get(name), bool)}
        self._look = replace(self._look, **switches)
        self._film_wanted = switches.get("trails")

    def _keep_look(self) -> None:
        """Remember how the map is shown, for this run."""
        look = {name: getattr(self._look, name) for name in _KEPT if name != "trails"}
        if self._film_wanted is not None:
            look["trails"] = self._film_wanted
        kept = {"color": self._coloring, **look}
        self.post_message(messages.ChoiceKept("explorer", kept, self.path))

    def _request_map(self) -> None:
        step = self._time.resolve(self._snapshot.map_steps)
        if step is None:
            return
        steps = self._snapshot.map_steps
        at = self._time.position(steps)
        request = MapRequest(
            step,
            step == steps[-1],
            self._coloring,
            self._projection,
            steps[max(at - BEFORE, 0) : at] if self._look.trails else (),
            self._named,
        )
        if request != self._requested:
            self._requested = request
            self._worker.request_map(request)

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    def _show_scene(self) -> None:
        result = self._result
        if result is None:
            return
        scene = make_scene(result, self._look, self._worker.images)
        if self._map.selected is None and scene.visible.any():
            self._map.selected = int(np.flatnonzero(scene.visible)[0])
        self._map.show(self._marked(scene))

    def _marked(self, scene: Scene) -> Scene:
        """Return the scene with what is marked on it."""
        return scene

    @property
    def _map(self) -> ExplorerMap:
        return self.query_one(ExplorerMap)

    def _change_look(self, **changes: Any) -> None:
        self._look = replace(self._look, **changes)
        self._show_scene()

    def _show_line(self) -> None:
        panels = [self._map, *self.query(PointPanel), *self.query(ChangeList)]
        steps = self._snapshot.map_steps
        self.query_one(TimeBadge).show(self._time, steps, panels)
        self.query_one(FilmStrip).show(steps, self._time.resolve(steps))
        result = self._result
        coloring = self._coloring if result is None else result.coloring.name
        words = line_words(self._snapshot, self._time, coloring, self._status, self.size.width - 2)
        if words != self._line:
            self._line = words
            self.query_one("#line", Static).update(Content(words))

    def _coloring_name(self) -> ColoringName:
        """Return what the points are coloured by, or should be: not classes without labels."""
        result = self._result
        if result is None:
            return self._coloring
        names = coloring_names(result.space, result.groups, result.columns)
        return self._coloring if self._coloring in names else names[0]

    @property
    def _class_names(self) -> tuple[str, ...]:
        """The names of what can be shown alone: classes, or clusters, groups and levels."""
        return self._result.parts.names if self._result else ()

    def _position(self) -> int:
        """Return the position in the held-out split of the image at the cursor; 0 without one."""
        if self._result is None or self._map.selected is None:
            return 0
        return int(self._result.space.map.indices[self._map.selected])

    def _selected_class(self) -> int | None:
        if self._result is None or self._map.selected is None:
            return None
        return int(self._result.parts.values[self._map.selected])
