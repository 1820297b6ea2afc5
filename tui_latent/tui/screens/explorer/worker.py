"""Answers the explorer's questions in threads of its own: maps in one, points in another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from textual.message import Message

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.image_cells import Pixels
from tui_latent.tui.screens.explorer.colorings import make_coloring
from tui_latent.tui.screens.explorer.views import MapRequest, MapResult, PointResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_latent.analysis.neighbourhood_change import NeighbourChanges
    from tui_latent.analysis.neighbourhoods import Space
    from tui_latent.analysis.projections import Projection
    from tui_latent.analysis.run_data import RunData
    from tui_latent.runs.reader import RunReader


@dataclass
class MapFound(Message, bubble=False):
    """A map that was asked for, or why there is none."""

    answer: MapResult | str


@dataclass
class PointFound(Message, bubble=False):
    """What there is to say of a point."""

    answer: PointResult


@dataclass
class ChangesFound(Message, bubble=False):
    """Which images changed their neighbourhood most; None where that cannot be said."""

    before: int
    after: int
    movers: NeighbourChanges | None


@dataclass
class ProgressReported(Message, bubble=False):
    """How far something is, or what went wrong."""

    words: str


RELATED: Final = 8
"""nearest and most distant images asked for"""
_MOVERS: Final = 200


class ExplorerWorker:
    """Finds maps, points and movers of one run; of several questions the newest is answered.

    Answers are the messages above, posted from a thread.
    """

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path = path
        self._post = post
        self._maps = WorkerThread(self._tell_failed)
        self._points = WorkerThread(self._tell_failed)
        self._mutex = threading.Lock()
        self._source: RunData | None = None
        self._reader: RunReader | None = None
        self._space: tuple[int, bool, Space] | None = None
        self._projection: Projection | None = None
        self.cancelled = threading.Event()
        """set to give up the projection that is being made"""

    def close(self) -> None:
        """Answer nothing more."""
        self.cancelled.set()
        threading.Thread(target=self._close, daemon=True).start()

    def _close(self) -> None:
        self._maps.close()
        self._points.close()

    def ask(self, question: MapRequest) -> None:
        """Find a map."""
        self._maps.submit("map", lambda: self._post(MapFound(self._answer(question))))

    def ask_point(self, shown: MapResult, index: int) -> None:
        """Find out about a point of a map; without images where there are none."""
        self._points.submit("point", lambda: self._post(PointFound(self._about(shown, index))))

    def ask_movers(self, before: int, after: int) -> None:
        """Find the images that changed their neighbourhood most between two evaluations."""
        self._maps.submit(
            "movers", lambda: self._post(ChangesFound(before, after, self._movers(before, after)))
        )

    def images(self, indices: Sequence[int], step: int | None = None) -> Pixels:
        """Return held-out images, (n, H, W, C), for points of a step, else of the newest map found.

        InspectionError when there are none.
        """
        from tui_latent.analysis.neighbourhoods import images_of

        if step is None and self._space is not None:
            step = self._space[2].map.step
        return images_of(self._opened(), np.asarray(indices, np.int64), step)

    def _tell(self, words: str) -> None:
        self._post(ProgressReported(words))

    def _tell_failed(self, error: Exception) -> None:
        self._tell(f"failed: {error}")

    def _opened(self) -> RunData:
        from tui_latent.analysis.run_data import RunData

        with self._mutex:
            if self._source is None:
                self._source = RunData(self._path)
            return self._source

    def _read(self) -> RunReader:
        from tui_latent.runs.reader import RunReader

        with self._mutex:
            if self._reader is None:
                self._reader = RunReader(self._path)
            return self._reader

    def _answer(self, question: MapRequest) -> MapResult | str:
        from tui_latent.analysis.errors import InspectionError

        try:
            space = self._space_of(question)
            if space is None:
                return f"The map of step {question.step:,} is not there any more."
        except InspectionError as error:
            return str(error)
        problem, projection = "", None
        try:
            coloring = make_coloring(question.coloring, space)
        except InspectionError as error:
            problem, coloring = str(error), make_coloring("class", space)
        if question.projection != "map":
            try:
                projection = self._projected(space, question)
            except InspectionError as error:
                problem = str(error)
        return MapResult(question, space, coloring, projection, problem)

    def _space_of(self, question: MapRequest) -> Space | None:
        from tui_latent.analysis.neighbourhoods import space_at

        key = (question.step, question.newest)
        if self._space is not None and self._space[:2] == key:
            return self._space[2]
        latent_map = self._read().map_at(question.step)
        if latent_map is None:
            return None
        space = space_at(self._opened(), latent_map, question.newest)
        self._space, self._projection = (*key, space), None
        return space

    def _projected(self, space: Space, question: MapRequest) -> Projection | None:
        """Return a projection; where it was given up, the last one of this space."""
        from tui_latent.analysis.projections import CancelledError, project

        if self._projection is None or self._projection.name != question.projection:
            self.cancelled.clear()
            try:
                self._projection = project(space, question.projection, self._tell, self.cancelled)
            except CancelledError:
                self._tell("given up")
        return self._projection

    def _about(self, shown: MapResult, index: int) -> PointResult:
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

        old, new = self._read().map_at(before), self._read().map_at(after)
        if old is None or new is None:
            return None
        return find_changes(old, new, _MOVERS)
