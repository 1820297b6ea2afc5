"""`latents/`: which maps a run has, with the newest and those looked at lately in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from tui_latent.runs.atomic_files import Signature, signature
from tui_latent.runs.maps import MapError, StoredEvaluation, map_file, map_step, read_map

_KEPT: Final = 32
"""maps in memory at most"""


class MapFolder:
    """Reads each map once while its file stays the same; usable from any thread."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._mutex = threading.Lock()
        self._kept: OrderedDict[int, tuple[Signature, StoredEvaluation]] = OrderedDict()
        self._torn: dict[int, tuple[Signature, str]] = {}
        self._newest = -1

    def refresh(self, up_to: int | None) -> tuple[tuple[int, ...], StoredEvaluation | None]:
        """Return the steps of the readable maps and the newest map, none later than `up_to`."""
        present = self._steps()
        with self._mutex:
            self._torn = {step: torn for step, torn in self._torn.items() if step in present}
        steps = sorted(step for step in present if up_to is None or step <= up_to)
        found = (self.at(step) for step in reversed(steps))
        newest = next((evaluation for evaluation in found if evaluation is not None), None)
        self._newest = newest.map.step if newest else -1
        return tuple(step for step in steps if step not in self._torn), newest

    def at(self, step: int) -> StoredEvaluation | None:
        """Return the map of a step; None when it is missing or torn."""
        path = map_file(self._run, step)
        with self._mutex:
            now = signature(path)
            if now is None or self._torn.get(step, (None,))[0] == now:
                return None
            if step not in self._kept or self._kept[step][0] != now:
                self._load(path, step, now)
            if step not in self._kept:
                return None
            self._kept.move_to_end(step)
            return self._kept[step][1]

    def problems(self) -> tuple[str, ...]:
        """Name the torn maps."""
        with self._mutex:
            return tuple(problem for _, problem in self._torn.values())

    def _load(self, path: Path, step: int, now: Signature) -> None:
        self._kept.pop(step, None)
        self._torn.pop(step, None)
        try:
            self._kept[step] = (now, read_map(path, step))
        except MapError as error:
            self._torn[step] = (now, str(error))
        if len(self._kept) > _KEPT:
            del self._kept[next(kept for kept in self._kept if kept != self._newest)]

    def _steps(self) -> set[int]:
        try:
            names = [entry.name for entry in (self._run / "latents").iterdir()]
        except FileNotFoundError:
            return set()
        return {step for step in map(map_step, names) if step is not None}
