"""What the sweep page shows: the sweep, ranked by one metric; and the thread that reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from textual.message import Message

from tui_latent.compared_maps import ComparedMap, compared_maps
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap, RunError
from tui_latent.runtime.cpu_share import count_this_thread
from tui_latent.sweeps.groups import Group, grouped, is_higher_better, single_runs, verdict
from tui_latent.sweeps.reading import SweepReader, SweepSnapshot

MOST_MAPS: Final = 12
"""maps that are shown side by side"""


@dataclass(frozen=True, eq=False)
class SweepView:
    """A sweep, and what is asked of it."""

    sweep: SweepSnapshot
    metric: str
    groups: tuple[Group, ...]
    """the best first"""
    verdict: str
    maps: tuple[tuple[Group, ComparedMap], ...] = ()
    """those of the best run of the best groups, aligned to the first"""

    @property
    def higher(self) -> bool:
        """Whether larger values of the metric are better."""
        return is_higher_better(self.metric)

    def singly(self) -> tuple[Group, ...]:
        """Return each run as a group of its own, the best first."""
        return tuple(single_runs(self.sweep, self.metric))


class ViewRead(Message, bubble=False):
    """The sweep has changed, or something else is asked of it."""

    def __init__(self, view: SweepView) -> None:
        super().__init__()
        self.view = view

    def can_replace(self, message: Message) -> bool:
        """Drop older views if the screen falls behind."""
        return isinstance(message, ViewRead)


class SweepLost(Message, bubble=False):
    """The sweep's folder cannot be read."""

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


class SweepWatcher:
    """Reads a sweep in its own thread and posts each change, until it is closed."""

    def __init__(
        self, path: Path, post: Callable[[Message], object], interval: float = 1.0
    ) -> None:
        """`post` is called from the thread, at most once every `interval` seconds."""
        self._path, self._post, self._interval = path, post, interval
        self._metric: str | None = None
        self._wake = threading.Event()
        self._closed = False
        self._maps: dict[Path, tuple[int, LatentMap | None]] = {}
        self._aligned: tuple[tuple[LatentMap, ...], tuple[ComparedMap, ...]] = ((), ())
        self._thread = threading.Thread(target=self._watch, name="sweep-watcher", daemon=True)

    def start(self) -> None:
        """Start; the first view is posted as soon as it is read."""
        self._thread.start()

    def close(self) -> None:
        """Post nothing more; returns at once."""
        self._closed = True
        self._wake.set()

    def rank_by(self, metric: str) -> None:
        """Rank by another metric."""
        self._metric = metric
        self._wake.set()

    def _watch(self) -> None:
        count_this_thread()
        reader: SweepReader | None = None
        shown: tuple[SweepSnapshot, str] | None = None
        told = ""
        while not self._closed:
            try:
                reader = reader or SweepReader(self._path)
                sweep = reader.refresh()
                known = any(spec.name == self._metric for spec in sweep.metrics)
                metric = self._metric if self._metric and known else sweep.metric
                if shown is None or shown[0] is not sweep or shown[1] != metric:
                    view = self._view(sweep, metric)
                    self._tell(view if shown is None else self._with_maps(view))
                    if shown is None:  # maps take longer to read than numbers
                        self._tell(self._with_maps(view))
                shown, told = (sweep, metric), ""
            except RunError as error:  # its disk may come back
                if str(error) != told and not self._closed:
                    self._post(SweepLost(str(error)))
                told, shown = str(error), None
            self._wake.wait(self._interval)
            self._wake.clear()

    def _view(self, sweep: SweepSnapshot, metric: str) -> SweepView:
        groups = grouped(sweep, metric)
        return SweepView(sweep, metric, tuple(groups), verdict(groups, metric))

    def _tell(self, view: SweepView) -> None:
        if not self._closed:
            self._post(ViewRead(view))

    def _with_maps(self, view: SweepView) -> SweepView:
        chosen = []
        for group in view.groups:
            row = group.best_row(view.metric)
            found = self._map(row.path, row.status.step) if row is not None else None
            if found is not None:
                chosen.append((group, found))
            if len(chosen) == MOST_MAPS:
                break
        maps = tuple(found for _, found in chosen)
        before, aligned = self._aligned
        if len(before) != len(maps) or any(a is not b for a, b in zip(before, maps, strict=True)):
            aligned = compared_maps(maps)
            self._aligned = maps, aligned
        pairs = zip((group for group, _ in chosen), aligned, strict=True)
        return replace(view, maps=tuple(pairs))

    def _map(self, path: Path, step: int) -> LatentMap | None:
        known = self._maps.get(path)
        if known is None or known[0] != step:
            try:
                known = step, RunReader(path).refresh().map
            except RunError:
                known = step, None
            self._maps[path] = known
        return known[1]
