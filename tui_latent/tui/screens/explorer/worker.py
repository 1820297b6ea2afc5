"""Answers the explorer's requests in two threads: one for maps, one for points."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from textual.message import Message

from tui_latent.runs.groups import read_groups
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.image_cells import Pixels
from tui_latent.tui.screens.explorer.colorings import make_coloring, plain_coloring
from tui_latent.tui.screens.explorer.confused import ConfusedImages, find_confused
from tui_latent.tui.screens.explorer.trails import movers_paths
from tui_latent.tui.screens.explorer.views import MapRequest, MapResult, PointResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tui_latent.analysis.cluster_matching import Clusters
    from tui_latent.analysis.neighbourhood_change import NeighbourChanges
    from tui_latent.analysis.neighbourhoods import Space
    from tui_latent.analysis.projections import Projection
    from tui_latent.analysis.run_data import RunData
    from tui_latent.runs.reader import RunReader
    from tui_latent.runs.schema import LatentMap
    from tui_latent.sources.files.columns import Column


@dataclass
class MapFound(Message, bubble=False):
    """A requested map, or why there is none."""

    result: MapResult | str


@dataclass
class PointFound(Message, bubble=False):
    """The details of a point."""

    result: PointResult


@dataclass
class ChangesFound(Message, bubble=False):
    """Which images changed their neighbourhood most; None if that is unknown."""

    before: int
    after: int
    movers: NeighbourChanges | None


@dataclass
class ConfusedFound(Message, bubble=False):
    """The images of one class that are taken for another."""

    found: ConfusedImages


@dataclass
class ProgressReported(Message, bubble=False):
    """Progress, or what went wrong."""

    text: str


RELATED: Final = 8
"""number of nearest and of most distant images"""
_MOVERS: Final = 200


class ExplorerWorker:
    """Finds maps, points and movers of one run; only the newest request of each kind counts.

    Results are the messages above, posted from a thread.
    """

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path = path
        self._post = post
        self._maps = WorkerThread(self._report_failure)
        self._points = WorkerThread(self._report_failure)
        self._mutex = threading.Lock()
        self._source: RunData | None = None
        self._reader: RunReader | None = None
        self._space: tuple[int, bool, Space] | None = None
        self._projection: Projection | None = None
        self._columns: tuple[LatentMap, tuple[Column, ...]] | None = None
        self._clusters: Clusters | None = None
        """of the evaluation whose clusters were shown last"""
        self.cancelled = threading.Event()
        """set to cancel the projection being computed"""

    def close(self) -> None:
        """Stop answering."""
        self.cancelled.set()
        threading.Thread(target=self._close, daemon=True).start()

    def _close(self) -> None:
        self._maps.close()
        self._points.close()

    def request_map(self, request: MapRequest) -> None:
        """Find a map."""
        self._maps.submit("map", lambda: self._post(MapFound(self._find_map(request))))

    def request_point(self, shown: MapResult, index: int) -> None:
        """Find the details of a point, without images if there are none."""
        self._points.submit("point", lambda: self._post(PointFound(self._describe(shown, index))))

    def request_changes(self, before: int, after: int) -> None:
        """Find the images whose neighbourhood changed most between two evaluations."""
        self._maps.submit(
            "movers", lambda: self._post(ChangesFound(before, after, self._movers(before, after)))
        )

    def request_confused(self, shown: MapResult, truth: int, called: int) -> None:
        """Find the images of one class that are taken for another."""
        space = shown.space
        self._points.submit(
            "confused",
            lambda: self._post(ConfusedFound(find_confused(space, truth, called))),
        )

    def images(self, indices: Sequence[int], step: int | None = None) -> Pixels:
        """Return held-out images, (n, H, W, C), of points on the map of a step (default: newest).

        Raises InspectionError if there are none.
        """
        from tui_latent.analysis.neighbourhoods import images_of

        rows = np.asarray(indices, np.int64)
        if self._space is not None:
            step = self._space[2].map.step if step is None else step
            rows = self._space[2].held_out(rows)
        return images_of(self._run_source(), rows, step)

    def _report(self, text: str) -> None:
        self._post(ProgressReported(text))

    def _report_failure(self, error: Exception) -> None:
        self._report(f"Failed: {error}")

    def _run_source(self) -> RunData:
        from tui_latent.analysis.run_data import RunData

        with self._mutex:
            if self._source is None:
                self._source = RunData(self._path)
            return self._source

    def _run_reader(self) -> RunReader:
        from tui_latent.runs.reader import RunReader

        with self._mutex:
            if self._reader is None:
                self._reader = RunReader(self._path)
            return self._reader

    def _find_map(self, request: MapRequest) -> MapResult | str:
        from tui_latent.analysis.errors import InspectionError

        try:
            space = self._space_of(request)
            if space is None:
                return f"The map of step {request.step:,} no longer exists."
        except InspectionError as error:
            return str(error)
        problem, projection = "", None
        columns: tuple[Column, ...] = ()
        groups = read_groups(self._path)
        try:
            columns = self._columns_of(space.map)
            clusters = self._clusters_of(space) if request.coloring == "cluster" else None
            coloring = make_coloring(request.coloring, space, groups, columns, clusters)
        except InspectionError as error:
            problem, coloring = str(error), plain_coloring(space)
        if request.projection != "map":
            try:
                projection = self._projected(space, request)
            except InspectionError as error:
                problem = str(error)
        before = [self._run_reader().map_at(step) for step in request.before]
        paths = {} if projection else movers_paths(before, space.map)
        no_images = self._run_source().why_no_images()
        return MapResult(
            *(request, space, coloring, projection, problem, paths, groups, columns, no_images)
        )

    def _columns_of(self, latent_map: LatentMap) -> tuple[Column, ...]:
        """Return what a table says about the points of a map, read once for each map."""
        from tui_latent.analysis.point_columns import columns_of_points

        if self._columns is None or self._columns[0] is not latent_map:
            self._columns = latent_map, columns_of_points(self._path, latent_map)
        return self._columns[1]

    def _clusters_of(self, space: Space) -> NDArray[np.int64]:
        """Return clusters with the numbers, and so the colours, that they had when last shown.

        With labels each has the number of its class at every step.
        """
        from tui_latent.analysis.cluster_matching import Clusters, matched

        now = Clusters(np.asarray(space.map.indices, np.int64), space.clusters)
        if self._clusters is not None and not space.has_labels:
            now = matched(now, self._clusters)
        self._clusters = now
        return now.numbers

    def _space_of(self, request: MapRequest) -> Space | None:
        from tui_latent.analysis.neighbourhoods import space_at

        key = (request.step, request.newest)
        if self._space is not None and self._space[:2] == key:
            return self._space[2]
        latent_map = self._run_reader().map_at(request.step)
        if latent_map is None:
            return None
        space = space_at(self._run_source(), latent_map, request.newest)
        self._space, self._projection = (*key, space), None
        return space

    def _projected(self, space: Space, request: MapRequest) -> Projection | None:
        """Return a projection; if it was cancelled, the previous one of this space."""
        from tui_latent.analysis.projections import CancelledError, project

        if self._projection is None or self._projection.name != request.projection:
            self.cancelled.clear()
            try:
                self._projection = project(space, request.projection, self._report, self.cancelled)
            except CancelledError:
                self._report("Cancelled.")
        return self._projection

    def _describe(self, shown: MapResult, index: int) -> PointResult:
        from tui_latent.analysis.errors import InspectionError

        space, projection = shown.space, shown.projection
        names = space.map.class_names
        facts = space.facts(index, RELATED, projection.points if projection else None)
        try:
            image = self.images([index], space.map.step)[0]
            nearest = self.images(facts.nearest.indices.tolist(), space.map.step)
            distant = self.images(facts.distant.indices.tolist(), space.map.step)
        except InspectionError as error:
            return PointResult(space, facts, problem=str(error), names=names)
        return PointResult(space, facts, image, nearest, distant, names=names)

    def _movers(self, before: int, after: int) -> NeighbourChanges | None:
        from tui_latent.analysis.neighbourhood_change import find_changes

        old, new = self._run_reader().map_at(before), self._run_reader().map_at(after)
        if old is None or new is None:
            return None
        return find_changes(old, new, _MOVERS, self._path)
