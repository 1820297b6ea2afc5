"""The explorer: a full-screen map, and the details of the point at the cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui_latent.palettes import class_color
from tui_latent.runs.groups import group_of_each
from tui_latent.runs.map_store import MapFolder
from tui_latent.tui import messages
from tui_latent.tui.active_binding import active_binding
from tui_latent.tui.first_values import when_evaluated
from tui_latent.tui.foreign_runs import POINT_KINDS
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name
from tui_latent.tui.run_watcher import RunLost, SnapshotRead
from tui_latent.tui.screens.base import TooSmall
from tui_latent.tui.screens.explorer.camera_actions import CameraActions
from tui_latent.tui.screens.explorer.change_list import ChangeList
from tui_latent.tui.screens.explorer.class_filter import ClassFilter
from tui_latent.tui.screens.explorer.colorings import COLORINGS, coloring_names
from tui_latent.tui.screens.explorer.column_colors import column_titles
from tui_latent.tui.screens.explorer.door_actions import DoorActions
from tui_latent.tui.screens.explorer.look import is_cloud, is_other_projection
from tui_latent.tui.screens.explorer.map import DISTANT, NEAREST, ExplorerMap
from tui_latent.tui.screens.explorer.naming import NamingActions
from tui_latent.tui.screens.explorer.point_panel import PointPanel
from tui_latent.tui.screens.explorer.search_box import FindBox
from tui_latent.tui.screens.explorer.time_actions import TimeActions
from tui_latent.tui.screens.explorer.views import (
    next_projection,
    point_words,
)
from tui_latent.tui.screens.explorer.worker import (
    MapFound,
    PointFound,
    ProgressReported,
)
from tui_latent.tui.widgets.film_strip import FilmStrip
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.time_badge import TimeBadge

if TYPE_CHECKING:
    from tui_latent.sources.files.columns import Column

_FILM_FROM: Final = 34
"""fewest lines at which the map leaves room for the film strip"""

_WITHOUT_MAP: Final = ("explorer.back", "explorer.viewer")
"""keys that need no map"""

_VAST: Final = 180
"""columns from which images may be twice as large"""


class ExplorerScreen(CameraActions, TimeActions, DoorActions, NamingActions):
    """Shows the map of one evaluation, to inspect point by point."""

    AUTO_FOCUS = ""
    CSS = """
    ExplorerScreen > #line { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ExplorerScreen > Horizontal { height: 1fr; }
    ExplorerScreen Vertical { width: 1fr; height: 1fr; }
    ExplorerScreen ExplorerMap { width: 1fr; height: 1fr; }
    ExplorerScreen PointPanel { width: 46; height: 1fr; }
    ExplorerScreen.-vast PointPanel { width: 74; }
    ExplorerScreen.-narrow PointPanel { width: 29; }
    ExplorerScreen.-narrow #point { height: auto; min-height: 5; max-height: 7; }
    ExplorerScreen.-narrow PointPanel.-listed #point { height: auto; }
    ExplorerScreen.-narrow #portrait { width: 9; height: 5; }
    ExplorerScreen.-narrow #facts { max-height: 7; }
    ExplorerScreen ChangeList { display: none; width: 46; height: 1fr; border: round $accent; }
    ExplorerScreen.-movers ChangeList { display: block; }
    ExplorerScreen.-movers PointPanel { display: none; }
    ExplorerScreen.-narrow ChangeList { width: 34; }
    """

    ABOUT = (
        "The map of one evaluation, to inspect point by point: which images are near each other "
        "in the latent space, and which only on the map."
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

    def compose(self) -> ComposeResult:
        yield Static(id="line", markup=False)
        yield TimeBadge()
        yield FindBox()
        with Horizontal():
            with Vertical():
                yield ExplorerMap(self._drawer)
                yield FilmStrip(MapFolder(self.path))
            yield PointPanel()
            yield ChangeList()
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(ExplorerMap).show(None, "Reading the map …")
        tall = self.app.size.height >= _FILM_FROM
        self._show_film(tall if self._film_wanted is None else self._film_wanted)
        # The words about a point have the colour of its class, which each theme has its own of.
        self.app.theme_changed_signal.subscribe(self, lambda _: self._request_point())
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.close()
        self._worker.close()

    def on_resize(self, event: events.Resize) -> None:
        """Give the map most of a narrow screen."""
        self.set_class(event.size.width < 100, "-narrow")
        self.set_class(event.size.width >= _VAST, "-vast")
        self._show_line()

    # Updates from the run folder

    @on(SnapshotRead)
    def take_snapshot(self, message: SnapshotRead) -> None:
        """Request the map to show, if it has changed."""
        self._snapshot = message.snapshot
        self._look = replace(self._look, kind=f"{POINT_KINDS[message.snapshot.origin]}s")
        self.query_one(PointPanel).visible = bool(message.snapshot.map_steps)
        self._make_room_for_film()
        self.refresh_bindings()
        if not message.snapshot.map_steps:
            self._map.show(None, when_evaluated(message.snapshot, "The map"))
        self._request_map()
        self._show_line()

    @on(RunLost)
    def show_lost(self, message: RunLost) -> None:
        """Keep what is shown, and show why there are no updates."""
        self._status = message.problem
        self._show_line()

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
        before, result = self._result, message.result
        self._result = result
        if result.request == self._requested:  # otherwise there is a newer request
            self._projection = result.projection.name if result.projection else "map"
            self._requested = replace(self._requested, projection=self._projection)
            self._status = result.problem
            self._playback.shown()
        self._look_through_door(result)
        self._show_marked_images()
        self._show_scene()
        if before is not None and is_other_projection(before, result):
            self._map.whole()
        self._update_spin()
        self._request_point()
        if self.has_class("-movers"):
            self._request_changes()
        self._show_line()

    # The point

    @on(ExplorerMap.Pointed)
    def describe_point(self, _: ExplorerMap.Pointed) -> None:
        """Request the details of the point at the cursor; a cloud waits meanwhile."""
        self._stop_spinning()
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
        dark = self.app.current_theme.dark
        label = result.facts.label
        color = None if self.app.no_color or label < 0 else class_color(label, dark)
        kind = POINT_KINDS[self._snapshot.origin]
        part = self._part_words(result.facts.index)
        columns = self._other_columns()
        words = point_words(result, others, color, part, kind, columns)
        self.query_one(PointPanel).show(words)
        marks = dict.fromkeys(result.facts.distant.indices.tolist(), DISTANT)
        marks |= dict.fromkeys(result.facts.nearest.indices.tolist(), NEAREST)
        self._map.mark(marks)

    def _part_words(self, index: int) -> str:
        """Say what name a point was given, or the cluster that it is in if clusters are shown."""
        result = self._result
        if result is None:
            return ""
        own = int(group_of_each(result.groups, np.asarray(result.space.map.indices)[[index]])[0])
        if own >= 0:
            return f"named “{result.groups[own].name}”"
        coloring = result.coloring
        if not coloring.parts:
            return ""
        value = coloring.names[int(coloring.values[index])]
        return value if coloring.name == "cluster" else f"{coloring.name}: {value}"

    def _other_columns(self) -> tuple[Column, ...]:
        """Return the columns of the table that the colours do not show."""
        result = self._result
        if result is None:
            return ()
        shown = column_titles(result.columns, COLORINGS).get(result.coloring.name)
        return tuple(column for column in result.columns if column is not shown)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrow keys to the search box and to the list of changes."""
        if action in ("rotate", "spin"):
            return is_cloud(self._result)
        if action in ("time", "film", "play") and self._snapshot.origin == "opened":
            return len(self._snapshot.map_steps) > 1
        if action == "pan" and is_cloud(self._result):
            return False
        if action not in ("move", "pan") or not self.is_mounted:
            return True
        listing = self.has_class("-movers") and action == "move" and bool(parameters[1])
        return not listing and not self.query_one(FindBox).is_open

    def on_key(self, event: events.Key) -> None:
        """Say why a key of the map does nothing while there is no map."""
        active = active_binding(event.key, self) if self._result is None else None
        key_id = (active.binding.id or "") if active is not None else ""
        if key_id.startswith(("explorer.", "view.")) and key_id not in _WITHOUT_MAP:
            event.stop()
            self.tell_no_change(
                "The map is still being read."
                if self._snapshot.map_steps
                else when_evaluated(self._snapshot, "The map")
            )

    def why_inactive(self, key_id: str) -> str:
        """Say why a flat map cannot be rotated, and why a single one cannot be played."""
        if key_id == "explorer.spin":
            project = key_name("explorer.projection", self.app._keymap)
            return f"Only a 3-D cloud can be rotated. {project} shows the next projection."
        if key_id.startswith("time.") or key_id == "explorer.play":
            return self._time.why_not(self._snapshot.map_steps, 1)
        return ""

    def action_move(self, across: int, down: int) -> None:
        """Move the cursor."""
        self._map.move(across, down)

    def action_step(self, by: int) -> None:
        """Go to the next point in reading order."""
        self._map.step(by)

    def action_zoom(self, steps: int) -> None:
        """Zoom about the cursor."""
        self._map.zoom(steps)

    def action_frame(self) -> None:
        """Show every point, or again the frame of most of them."""
        self._map.toggle_frame()

    def action_shade(self) -> None:
        """Toggle the Voronoi cells."""
        self._change_look(regions=not self._look.regions)
        self._keep_look()

    def action_color(self, by: int) -> None:
        """Change what the points are coloured by."""
        if self._result is None:
            return
        result = self._result
        names = coloring_names(result.space, result.groups, result.columns)
        shown = self._coloring_name()
        at = names.index(shown) if shown in names else 0
        self._coloring = names[(at + by) % len(names)]
        self._keep_look()
        classes = {*COLORINGS, "name"} - {"cluster"}
        if not {shown, self._coloring} <= classes or not result.space.has_labels:
            # Other colours, other parts to show.
            self._look = replace(self._look, filter=ClassFilter())
        self._status = f"Colouring by {self._coloring} …"
        self._request_map()
        self._show_line()

    def action_export(self) -> None:
        """Export the points of this map, those shown by a condition, as a CSV file."""
        if self._result is not None:
            step = self._result.space.map.step
            self.post_message(messages.PointsExportRequested(self.path, step, self._look.condition))

    def action_projection(self) -> None:
        """Switch to the next projection."""
        if self._result is None:
            return
        wanted = self._requested.projection if self._requested else "map"
        chosen, why = next_projection(self._result.space, wanted)
        if chosen is None:
            self.notify(f"No other projection: {why}.", markup=False)
            return
        self._worker.cancelled.set()
        self._projection = chosen
        cancel = key_name("explorer.back", self.app._keymap)
        self._status = f"Computing {self._projection} …  ({cancel} cancels)"
        self._request_map()
        self._show_line()

    # Elsewhere

    def action_thumbnails(self) -> None:
        """Show images in place of points, or points again."""
        if self._result is not None and self._result.no_images:
            self.notify(f"{self._result.no_images}.", title="Pictures", timeout=8, markup=False)
            return
        self._change_look(thumbnails=not self._look.thumbnails)
        self._keep_look()

    def action_images(self) -> None:
        """Show the image in the viewer; a confused one among the images that voted."""
        page = "" if self._confused is None else "neighbours"
        self.post_message(messages.ViewerRequested(self.path, self._position(), page))

    def action_back(self) -> None:
        """Close the search or the list, cancel a computation, or leave the explorer."""
        if self.query_one(FindBox).is_open:
            self.query_one(FindBox).close()
        elif self.has_class("-movers"):
            self.action_movers()
        elif self._marked_images:
            self._marked_images.clear()
            self._show_marked_images()
            self._status = ""
            self._show_line()
        elif (
            self._requested is not None
            and self._result is not None
            and (self._result.request.projection != self._requested.projection)
        ):
            self._worker.cancelled.set()
        else:
            self.dismiss()
