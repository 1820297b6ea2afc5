"""The explorer: one map over the whole screen, and what there is to say of the point one is at."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.scatter import Scene, visible_points
from tui_latent.tui.keymap import bindings
from tui_latent.tui.run_watcher import RunLost, RunWatcher, SnapshotRead
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.screens.dashboard.views import when_evaluated
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
    map_title,
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


class ExplorerScreen(BaseScreen[None]):
    """Shows one evaluation's map; every key asks something of it."""

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

    BINDINGS = bindings("explorer")

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__()
        self.path = path
        self._time = time or TimeCursor()
        self._drawer = drawer
        self._watcher = RunWatcher(path, self.post_message)
        self._desk = ExplorerWorker(path, self._post)
        self._snapshot = RunSnapshot(path)
        self._answer: MapResult | None = None
        self._asked: MapRequest | None = None
        self._coloring = COLORINGS[0]
        self._projection: ProjectionName = "map"
        self._filter = ClassFilter()
        self._angles = (0.6, 0.35)
        self._query = ""
        self._said = self._line = ""
        self._playing = False

    def compose(self) -> ComposeResult:
        yield Static(id="line", markup=False)
        yield FindBox()
        with Horizontal():
            yield ExplorerMap(self._drawer)
            yield PointPanel()
            yield ChangeList()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(ChangeList).can_focus = False
        self.query_one(ExplorerMap).say("Reading the map …")
        self._watcher.start()
        self.set_interval(_PLAY_SECONDS, self._play_on)

    def on_unmount(self) -> None:
        self._watcher.close()
        self._desk.close()

    def on_resize(self, event: events.Resize) -> None:
        """Give the map most of a narrow screen."""
        self.set_class(event.size.width < 100, "-narrow")

    # What the run's folder says

    @on(SnapshotRead)
    def take_snapshot(self, message: SnapshotRead) -> None:
        """Ask for the map that is looked at, if that is another now."""
        self._snapshot = message.snapshot
        if not message.snapshot.map_steps:
            self._map.say(when_evaluated(message.snapshot, "The map"))
        self._ask()
        self._show_line()

    @on(RunLost)
    def tell_lost(self, message: RunLost) -> None:
        """Keep what is shown, and say that nothing new will come."""
        self._said = message.problem
        self._show_line()

    def _ask(self) -> None:
        step = self._time.resolve(self._snapshot.map_steps)
        if step is None:
            return
        newest = step == self._snapshot.map_steps[-1]
        question = MapRequest(step, newest, self._coloring, self._projection)
        if question != self._asked:
            self._asked = question
            self._desk.ask(question)

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    @on(ProgressReported)
    def show_words(self, message: ProgressReported) -> None:
        """Say how far something is, or what went wrong."""
        self._said = message.words
        self._show_line()

    @on(MapFound)
    def show_map(self, message: MapFound) -> None:
        """Show a map that was asked for."""
        if isinstance(message.answer, str):
            self._map.say(message.answer)
            return
        self._answer = answer = message.answer
        if answer.question == self._asked:  # else something else has been asked since
            self._projection = answer.projection.name if answer.projection else "map"
            self._asked = replace(self._asked, projection=self._projection)
            self._said = answer.problem
        self._show_scene()
        self._ask_point()
        if self.has_class("-movers"):
            self._ask_movers()
        self._show_line()

    def _show_scene(self) -> None:
        answer = self._answer
        if answer is None:
            return
        points = self._points(answer)
        labels = np.asarray(answer.space.map.labels)
        scene = Scene(
            points,
            labels,
            answer.coloring,
            visible_points(points, labels, self._filter.hidden, self._filter.per_class),
        )
        if self._map.selected is None and scene.visible.any():
            self._map.selected = int(np.flatnonzero(scene.visible)[0])
        self._map.show(scene, map_title(answer), self._filter.hidden)

    def _points(self, answer: MapResult) -> np.ndarray:
        if answer.projection is None:
            return answer.space.map.points
        points = answer.projection.points
        if points.shape[1] == 2:
            return points
        from tui_latent.analysis.projections import turned

        return turned(points, *self._angles)

    @property
    def _map(self) -> ExplorerMap:
        return self.query_one(ExplorerMap)

    @property
    def _turns(self) -> bool:
        """Whether the map is a cloud."""
        projection = self._answer.projection if self._answer else None
        return projection is not None and projection.points.shape[1] == 3

    # The point

    @on(ExplorerMap.Pointed)
    def ask_about(self, _: ExplorerMap.Pointed) -> None:
        """Find out about the point that the cursor came to."""
        self._ask_point()

    def _ask_point(self) -> None:
        index = self._map.selected
        if self._answer is not None and index is not None:
            self._desk.ask_point(self._answer, index)

    @on(PointFound)
    def show_point(self, message: PointFound) -> None:
        """Show what was found out, unless the cursor is elsewhere by now."""
        answer = message.answer
        if answer.facts.index != self._map.selected:
            return
        others = max(self._map.here() - 1, 0)
        self.query_one(PointPanel).show(point_words(answer, others))
        marks = dict.fromkeys(answer.facts.distant.indices.tolist(), DISTANT)
        marks |= dict.fromkeys(answer.facts.nearest.indices.tolist(), NEAREST)
        self._map.mark(marks)

    def _show_line(self) -> None:
        words = line_words(self._snapshot, self._time, self._coloring, self._said)
        if words != self._line:
            self._line = words
            self.query_one("#line", Static).update(Content(words))

    # What a person asks

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
        """Magnify about the cursor."""
        self._map.zoom(steps)

    def action_whole(self) -> None:
        """Show the whole map."""
        self._map.whole()

    def action_shade(self) -> None:
        """Shade the Voronoi cells, or no longer."""
        self._map.shaded = not self._map.shaded
        self._map.redraw()

    def action_color(self, by: int) -> None:
        """Colour by something else."""
        at = COLORINGS.index(self._coloring) + by
        self._coloring = COLORINGS[at % len(COLORINGS)]
        self._said = f"colouring by {self._coloring} …"
        self._ask()
        self._show_line()

    def action_projection(self) -> None:
        """Show the latents in another projection."""
        from tui_latent.analysis.projections import projection_names

        if self._answer is None:
            return
        space = self._answer.space
        names = projection_names(space.points.shape[1], len(space.map.class_names))
        if len(names) == 1:
            why = "of this evaluation only the map was kept" if space.is_map else "they are 2-D"
            self.notify(f"The latents have no other projection: {why}.", markup=False)
            return
        self._desk.cancelled.set()
        wanted = self._asked.projection if self._asked else "map"
        at = names.index(wanted) if wanted in names else 0
        self._projection = names[(at + 1) % len(names)]
        self._said = f"{self._projection} …  (escape gives it up)"
        self._ask()
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
        """Hide the class of the point; the cursor goes to the nearest one that is left."""
        label = self._selected_class()
        if label is not None:
            self._show_classes(self._filter.hide(label, len(self._class_names)))
            self._map.move(0, 0)

    def action_examples(self) -> None:
        """Show fewer points of each class, or all again."""
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
        return self._answer.space.map.class_names if self._answer else ()

    def _selected_class(self) -> int | None:
        if self._answer is None or self._map.selected is None:
            return None
        return int(self._answer.space.map.labels[self._map.selected])

    # Time

    def action_time(self, by: int) -> None:
        """Look at an earlier or a later evaluation."""
        self._playing = False
        self._travel(by)

    def _travel(self, by: int) -> bool:
        moved = self._time.move(self._snapshot.map_steps, by)
        if moved:
            self._projection = "map"
            self._said = ""
            self._ask()
            self._show_line()
        return moved

    def action_play(self) -> None:
        """Watch the evaluations from the first on, or hold."""
        self._playing = not self._playing
        if self._playing and self._time.step is None:
            self._travel(-len(self._snapshot.map_steps))

    def _play_on(self) -> None:
        shown = self._answer is not None and self._answer.question == self._asked
        if self._playing and shown and not self._travel(1):
            self._playing = False

    # Movers

    def action_movers(self) -> None:
        """List the images whose neighbourhood changed most since the evaluation before."""
        listing = self.query_one(ChangeList)
        showing = not self.has_class("-movers")
        self.set_class(showing, "-movers")
        listing.can_focus = showing
        if showing:
            listing.focus()
            self._ask_movers()
        else:
            self.set_focus(None)

    def _ask_movers(self) -> None:
        steps = self._snapshot.map_steps
        at = self._time.position(steps)
        if at == 0:
            self.query_one(ChangeList).say("There is no evaluation before this one.")
            return
        before, after = steps[at - 1], steps[at]
        self._desk.ask_movers(before, after)

    @on(ChangesFound)
    def show_movers(self, message: ChangesFound) -> None:
        """List who moved."""
        listing = self.query_one(ChangeList)
        if message.movers is None:
            listing.say("The two evaluations do not show the same images.")
        else:
            listing.show(message.movers, message.before, message.after)

    @on(ChangeList.At)
    def go_to_mover(self, message: ChangeList.At) -> None:
        """Show where the image is that the list is at."""
        self._map.select(message.index)

    @on(ChangeList.Chosen)
    def take_mover(self) -> None:
        """Go back to the point, which is the image chosen."""
        self.action_movers()

    # Finding

    def action_find(self) -> None:
        """Ask for an image's number or a class's name."""
        self.query_one(FindBox).open()

    @on(FindBox.Asked)
    def find(self, message: FindBox.Asked) -> None:
        """Go to the image, or to the next one of the class."""
        self._query = message.query
        self.action_find_next()

    def action_find_next(self) -> None:
        """Go to the next image that was asked for."""
        if self._answer is None or not self._query:
            return
        after = self._map.selected if self._map.selected is not None else -1
        labels = self._answer.space.map.labels
        index = next_match(self._query, self._class_names, labels, after)
        if index is None:
            self.notify(f"Nothing is called “{self._query}” here.", markup=False)
        else:
            self._map.select(index)

    # Elsewhere

    def action_thumbnails(self) -> None:
        """Show images in the places of points, or points again."""
        self._map.show_thumbnails(None if self._map.shows_images else self._desk.images)

    def action_images(self) -> None:
        """Show the image in the viewer."""
        self.post_message(messages.ViewerRequested(self.path, self._map.selected or 0))

    def action_back(self) -> None:
        """Leave what was asked for last: a question, a computation, a list, the explorer."""
        if self.query_one(FindBox).is_open:
            self.query_one(FindBox).close()
        elif self.has_class("-movers"):
            self.action_movers()
        elif (
            self._asked is not None
            and self._answer is not None
            and (self._answer.question.projection != self._asked.projection)
        ):
            self._desk.cancelled.set()
        else:
            self.dismiss()
