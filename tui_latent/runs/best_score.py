"""The best kNN accuracy of a run, across restarts and rewinds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui_latent.runs.line_files import read_lines
from tui_latent.runs.records import parse_record

_KNN: Final = "val/knn_20"


class BestScore:
    """Follows the score of each evaluation; the earlier ones are read from the records, once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scores: list[tuple[int, float]] = []
        self._read = False

    def with_values(self, step: int, values: Mapping[str, float]) -> dict[str, float | None]:
        """Return the status's best and newest score after a record; empty if it has no score.

        Scores of later steps, which a run that went back has redone, do not count.
        """
        if _KNN not in values:
            return {}
        if not self._read:
            self._scores.clear()
            with suppress(FileNotFoundError):
                for _, line in read_lines(self._path, 0):
                    record = parse_record(line) if _KNN.encode() in line else None
                    if record is not None and _KNN in record.values:
                        self._keep(record.step, record.values[_KNN])
            self._read = True
        self._keep(step, float(values[_KNN]))
        finite = (score for _, score in self._scores if math.isfinite(score))
        return {"best_knn_20": max(finite, default=None), "knn_20": self._scores[-1][1]}

    def _keep(self, step: int, score: float) -> None:
        while self._scores and self._scores[-1][0] >= step:
            self._scores.pop()
        self._scores.append((step, score))
