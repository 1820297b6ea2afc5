"""The explorer: a full-screen map, and the details of the point at the cursor."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.scatter import Scene, visible_points
from tui_latent.tui.first_values import when_evaluated
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name
from tui_latent.tui.run_watcher import RunLost, RunWatcher, SnapshotRead
from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.explorer.change_list import ChangeList
from tui_latent.tui.screens.explorer.class_filter import ClassFilter
from tui_latent.tui.screens.explorer.colorings import COLORINGS
from tui_latent.tui.screens.explorer.map import DISTANT, NEAREST, ExplorerMap
from tui_latent.tui.screens.explorer.point_panel import PointPanel
from tui_latent.tui.screens.explorer.search import next_match
from tui_latent.tui.screens.explorer.search_box import FindBox
from tui_latent.tui.screens.explorer.views import (
    MapRequest,
    MapResult,
    line_words,
    map_titles,
    point_words,
)
from tui_latent.tui.screens.explorer.worker import (
    ChangesFound,
    ExplorerWorker,
    MapFound,
    PointFound,
    ProgressReported,
)
from tui_latent.tui.time_cursor import TimeCursor
from tui_latent.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tui_latent.analysis.projections import ProjectionName

_TURN: Final = math.pi / 24
_PLAY_SECONDS: Final = 0.7
"""for which each evaluation is shown while they are played"""


class ExplorerScreen(BaseScreen[None]):
    """Shows the map of one evaluation, to inspect point by point."""

    AUTO_FOCUS = ""
    CSS = """
    ExplorerScreen > #line { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ExplorerScreen > Horizontal { height: 1fr; }
    ExplorerScreen ExplorerMap { width: 1fr; height: 1fr; }
    ExplorerScreen PointPanel { width: 46; height: 1fr; }
    ExplorerScreen.-narrow PointPanel { width: 28; }
    ExplorerScreen.-narrow #point { height: 5; }
    ExplorerScreen.-narrow #portrait { width: 9; }
    ExplorerScreen ChangeList { display: none; width: 46; height: 1fr; border: round $accent; }
    ExplorerScreen.-movers ChangeList { display: block; }
    ExplorerScreen.-movers PointPanel { display: none; }
    ExplorerScreen.-narrow ChangeList { width: 34; }
    """

    ABOUT = (
        "The map of one evaluation, to inspect point by point: what an image is near to, "
        "in truth and on the map."
    )
    TERMS = (
        "latent",
        "map",
        "held out",
        "kNN error",
        "cluster",
        "anomaly score",
        "density",
        "Voronoi cell",
        "projection",
        "map/trustworthiness",
    )
    BINDINGS = bindings("explorer")

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
        self._coloring = COLORINGS[0]
        self._projection: ProjectionName = "map"
        self._filter = ClassFilter()
        self._angles = (0.6, 0.35)
        self._query = ""
        self._status = self._line = ""
        self._playing = False
        self._play_timer: Timer | None = None
        self._regions = self._thumbnails = False

    def compose(self) -> ComposeResult:
        yield Static(id="line", markup=False)
        yield FindBox()
        with Horizontal():
            yield ExplorerMap(self._drawer)
            yield PointPanel()
            yield ChangeList()
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(ChangeList).can_focus = False
        self.query_one(ExplorerMap).show(None, "Reading the map …")
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.close()
        self._worker.close()

    def on_resize(self, event: events.Resize) -> None:
        """Give the map most of a narrow screen."""
        self.set_class(event.size.width < 100, "-narrow")

    # Updates from the run folder

    @on(SnapshotRead)
    def take_snapshot(self, message: SnapshotRead) -> None:
        """Request the map to show, if it has changed."""
        self._snapshot = message.snapshot
        if not message.snapshot.map_steps:
            self._map.show(None, when_evaluated(message.snapshot, "The map"))
        self._request_map()
        self._show_line()

    @on(RunLost)
    def show_lost(self, message: RunLost) -> None:
        """Keep what is shown, and show why there are no updates."""
        self._status = message.problem
        self._show_line()

    def _request_map(self) -> None:
        step = self._time.resolve(self._snapshot.map_steps)
        if step is None:
            return
        newest = step == self._snapshot.map_steps[-1]
        request = MapRequest(step, newest, self._coloring, self._projection)
        if request != self._requested:
            self._requested = request
            self._worker.request_map(request)

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    @on(ProgressReported)
    def show_progress(self, message: ProgressReported) -> None:
        """Show progress, or what went wrong."""
        self._status = message.text
        self._show_line()

    @on(MapFound)
    def show_map(self, message: MapFound) -> None:
        """Show a requested map."""
        if isinstance(message.result, str):
            self._map.show(None, message.result)
            return
        self._result = result = message.result
        if result.request == self._requested:  # otherwise there is a newer request
            self._projection = result.projection.name if result.projection else "map"
            self._requested = replace(self._requested, projection=self._projection)
            self._status = result.problem
            if self._playing:
                self._play_later()
        self._show_scene()
        self._request_point()
        if self.has_class("-movers"):
            self._request_changes()
        self._show_line()

    def _show_scene(self) -> None:
        result = self._result
        if result is None:
            return
        points = self._points(result)
        labels = np.asarray(result.space.map.labels)
        visible = visible_points(points, labels, self._filter.hidden, self._filter.per_class)
        if self._map.selected is None and visible.any():
            self._map.selected = int(np.flatnonzero(visible)[0])
        scene = Scene(
            points,
            result.coloring,
            visible,
            regions=self._regions,
            images=self._worker.images if self._thumbnails else None,
            legend=True,
            struck=self._filter.hidden if result.coloring.name == "class" else frozenset(),
            titles=partial(map_titles, result, int(visible.sum())),
        )
        self._map.show(scene)

    def _points(self, result: MapResult) -> np.ndarray:
        if result.projection is None:
            return result.space.map.points
        points = result.projection.points
        if points.shape[1] == 2:
            return points
        from tui_latent.analysis.projections import turned

        return turned(points, *self._angles)

    @property
    def _map(self) -> ExplorerMap:
        return self.query_one(ExplorerMap)

    @property
    def _turns(self) -> bool:
        """Whether the map is a 3-D cloud."""
        projection = self._result.projection if self._result else None
        return projection is not None and projection.points.shape[1] == 3

    # The point

    @on(ExplorerMap.Pointed)
    def describe_point(self, _: ExplorerMap.Pointed) -> None:
        """Request the details of the point at the cursor."""
        self._request_point()

    def _request_point(self) -> None:
        index = self._map.selected
        if self._result is not None and index is not None:
            self._worker.request_point(self._result, index)

    @on(PointFound)
    def show_point(self, message: PointFound) -> None:
        """Show the details, unless the cursor has moved on."""
        result = message.result
        if result.facts.index != self._map.selected:
            return
        others = max(self._map.here() - 1, 0)
        self.query_one(PointPanel).show(point_words(result, others))
        marks = dict.fromkeys(result.facts.distant.indices.tolist(), DISTANT)
        marks |= dict.fromkeys(result.facts.nearest.indices.tolist(), NEAREST)
        self._map.mark(marks)

    def _show_line(self) -> None:
        words = line_words(self._snapshot, self._time, self._coloring, self._status)
        if words != self._line:
            self._line = words
            self.query_one("#line", Static).update(Content(words))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrow keys to the search box and to the list of changes."""
        if action not in ("move", "pan") or not self.is_mounted:
            return True
        listing = self.has_class("-movers") and action == "move" and bool(parameters[1])
        return not listing and not self.query_one(FindBox).is_open

    def action_move(self, across: int, down: int) -> None:
        """Move the cursor."""
        self._map.move(across, down)

    def action_pan(self, across: int, down: int) -> None:
        """Pan the map, or rotate a 3-D cloud."""
        if self._turns:
            yaw, pitch = self._angles
            self._angles = (yaw + across * _TURN, pitch + down * _TURN)
            self._show_scene()
        else:
            self._map.pan(4 * across, 2 * down)

    def action_step(self, by: int) -> None:
        """Go to the next point in reading order."""
        self._map.step(by)

    def action_zoom(self, steps: int) -> None:
        """Zoom about the cursor."""
        self._map.zoom(steps)

    def action_whole(self) -> None:
        """Show the whole map."""
        self._map.whole()

    def action_shade(self) -> None:
        """Toggle the Voronoi cells."""
        self._regions = not self._regions
        self._show_scene()

    def action_color(self, by: int) -> None:
        """Change what the points are coloured by."""
        at = COLORINGS.index(self._coloring) + by
        self._coloring = COLORINGS[at % len(COLORINGS)]
        self._status = f"Colouring by {self._coloring} …"
        self._request_map()
        self._show_line()

    def action_projection(self) -> None:
        """Switch to the next projection."""
        from tui_latent.analysis.projections import projection_names

        if self._result is None:
            return
        space = self._result.space
        names = projection_names(space.points.shape[1], len(space.map.class_names))
        if len(names) == 1:
            why = (
                "only the map of this evaluation was kept"
                if space.is_map
                else "the latents are 2-D"
            )
            self.notify(f"No other projection: {why}.", markup=False)
            return
        self._worker.cancelled.set()
        wanted = self._requested.projection if self._requested else "map"
        at = names.index(wanted) if wanted in names else 0
        self._projection = names[(at + 1) % len(names)]
        cancel = key_name("explorer.back", self.app._keymap)
        self._status = f"Computing {self._projection} …  ({cancel} cancels)"
        self._request_map()
        self._show_line()

    def action_solo(self) -> None:
        """Show the point's class alone, or all again."""
        label = self._selected_class()
        if label is not None:
            self.action_only(label)

    def action_only(self, label: int) -> None:
        """Show the class at a place of the legend alone, or all again."""
        self._show_classes(self._filter.only(label, len(self._class_names)))

    def action_hide(self) -> None:
        """Hide the class of the point and move to the nearest visible point."""
        label = self._selected_class()
        if label is not None:
            self._show_classes(self._filter.hide(label, len(self._class_names)))
            self._map.move(0, 0)

    def action_examples(self) -> None:
        """Show fewer points per class, or all again."""
        self._show_classes(self._filter.fewer())
        self._map.move(0, 0)

    def action_all(self) -> None:
        """Show all classes."""
        self._show_classes(ClassFilter())

    def _show_classes(self, chosen: ClassFilter) -> None:
        self._filter = chosen
        self._show_scene()

    @property
    def _class_names(self) -> tuple[str, ...]:
        return self._result.space.map.class_names if self._result else ()

    def _selected_class(self) -> int | None:
        if self._result is None or self._map.selected is None:
            return None
        return int(self._result.space.map.labels[self._map.selected])

    # Time

    def action_time(self, by: int) -> None:
        """Show an earlier or a later evaluation."""
        self._playing = False
        self._travel(by)

    def _travel(self, by: int) -> bool:
        moved = self._time.move(self._snapshot.map_steps, by)
        if moved:
            self._projection = "map"
            self._status = ""
            self._request_map()
            self._show_line()
        return moved

    def action_play(self) -> None:
        """Play the evaluations from the first one, or pause."""
        self._playing = not self._playing
        if self._playing:
            if self._time.step is None:
                self._travel(-len(self._snapshot.map_steps))
            self._play_later()

    def _play_later(self) -> None:
        """Leave the map that is shown now on the screen for its time."""
        if self._play_timer is not None:
            self._play_timer.stop()
        self._play_timer = self.set_timer(_PLAY_SECONDS, self._play_on)

    def _play_on(self) -> None:
        shown = self._result is not None and self._result.request == self._requested
        if self._playing and shown:
            self._travel(1)
            self._playing = self._time.step is not None

    # Movers

    def action_movers(self) -> None:
        """List the images whose neighbourhood changed most since the previous evaluation."""
        listing = self.query_one(ChangeList)
        showing = not self.has_class("-movers")
        self.set_class(showing, "-movers")
        listing.can_focus = showing
        if showing:
            listing.focus()
            self._request_changes()
        else:
            self.set_focus(None)

    def _request_changes(self) -> None:
        steps = self._snapshot.map_steps
        at = self._time.position(steps)
        if at == 0:
            self.query_one(ChangeList).say("There is no earlier evaluation.")
            return
        before, after = steps[at - 1], steps[at]
        self._worker.request_changes(before, after)

    @on(ChangesFound)
    def show_movers(self, message: ChangesFound) -> None:
        """List the images that changed most."""
        listing = self.query_one(ChangeList)
        if message.movers is None:
            listing.say("The two evaluations contain different images.")
        else:
            listing.show(message.movers, message.before, message.after)

    @on(ChangeList.At)
    def go_to_mover(self, message: ChangeList.At) -> None:
        """Move the cursor to the highlighted image."""
        self._map.select(message.index)

    @on(ChangeList.Chosen)
    def take_mover(self) -> None:
        """Close the list; the cursor stays on the chosen image."""
        self.action_movers()

    # Finding

    def action_find(self) -> None:
        """Open the search box."""
        self.query_one(FindBox).open()

    @on(FindBox.Searched)
    def find(self, message: FindBox.Searched) -> None:
        """Go to the image, or to the next one of the class."""
        self._query = message.query
        self.action_find_next()

    def action_find_next(self) -> None:
        """Go to the next match."""
        self._find(1)

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        self._find(-1)

    def _find(self, way: int) -> None:
        if self._result is None or not self._query:
            return
        here = self._map.selected if self._map.selected is not None else -1
        labels = self._result.space.map.labels
        index = next_match(self._query, self._class_names, labels, here, way)
        if index is None:
            self.notify(f"No image or class matches “{self._query}”.", markup=False)
        else:
            self._map.select(index)

    # Elsewhere

    def action_thumbnails(self) -> None:
        """Show images in the places of points, or points again."""
        self._thumbnails = not self._thumbnails
        self._show_scene()

    def action_images(self) -> None:
        """Show the image in the viewer."""
        self.post_message(messages.ViewerRequested(self.path, self._map.selected or 0))

    def action_back(self) -> None:
        """Close the search or the list, cancel a computation, or leave the explorer."""
        if self.query_one(FindBox).is_open:
            self.query_one(FindBox).close()
        elif self.has_class("-movers"):
            self.action_movers()
        elif (
            self._requested is not None
            and self._result is not None
            and (self._result.request.projection != self._requested.projection)
        ):
            self._worker.cancelled.set()
        else:
            self.dismiss()
