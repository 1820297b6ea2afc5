"""Writes what came out of measured latents: the map, the latents and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from tui_latent.nouns import counted
from tui_latent.runs.events import Kind
from tui_latent.runs.latents_file import LATENTS_FILE, UNLABELLED
from tui_latent.runs.maps import map_step
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.records import NewRecord
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter
from tui_latent.watching.waiting_latents import Measured, WaitingLatents

Tell = Callable[[Kind, int, str], None]
"""records an event: its kind, step and sentence"""

_SHOWN: Final = {"val/knn_20": "knn_20", "val/knn_5": "knn_5", "latent/effective_rank": "rank"}
_WARM_UP: Final = 30
"""steps before which the latents of a sound network can look collapsed"""


class Evaluations:
    """Belongs to the thread that writes; what the disk refuses stays in hand and is repeated."""

    def __init__(self, writer: RunWriter, classes: Sequence[str], dimensions: int | None) -> None:
        """`dimensions` are those of the run's newest latents, if it has any."""
        self.in_hand: Measured | None = None
        self._writer = writer
        self._classes = tuple(classes)
        self._dimensions = dimensions
        self._collapsed = False
        self._missing: dict[str, str] = {}
        self._undo_from: int | None = None

    def undo_from(self, step: int) -> None:
        """Remove the maps from a step on, at the next `undo`: the loop has gone back to it."""
        self._undo_from = step if self._undo_from is None else min(step, self._undo_from)
        self._collapsed = False

    def undo(self) -> None:
        """Remove the maps that are to be replaced; OSError."""
        if self._undo_from is None:
            return
        with suppress(FileNotFoundError):  # there was no evaluation yet
            for file in (self._writer.path / "latents").iterdir():
                step = map_step(file.name)
                if step is not None and step >= self._undo_from:
                    file.unlink(missing_ok=True)
        self._undo_from = None

    def forget(self) -> None:
        """Leave out the evaluation in hand."""
        if self.in_hand is not None:
            with suppress(OSError):
                Path(self.in_hand.latents_file).unlink(missing_ok=True)
        self.in_hand = None

    def write(self, late: bool, before: float, tell: Tell) -> None:
        """Write the evaluation in hand; OSError while the disk refuses it.

        `late` when later steps are recorded already, `before` are the seconds of earlier
        processes; `tell` records an event.
        """
        found = self.in_hand
        assert found is not None
        of = found.of
        if found.points is None:
            self._writer.log(f"step {of.step:,}: {found.problem}")
            self.in_hand = None
            return
        labels = np.full(len(of.queries), UNLABELLED) if of.labels is None else of.labels
        names = self._names(of)
        latent_map = LatentMap(
            step=of.step,
            points=found.points,
            indices=np.arange(len(found.points)),
            labels=labels,
            class_names=names,
            projection="native" if of.queries.shape[1] <= 2 else "pca",
        )
        confusion = found.confusion
        if confusion is not None and len(confusion) < len(names):
            confusion = np.pad(confusion, (0, len(names) - len(confusion)))
        self._writer.latent_map(latent_map, confusion, found.missing)
        kept = Path(found.latents_file)
        if kept.exists():  # a repeated write has moved it already
            kept.replace(self._writer.path / LATENTS_FILE)
        record = NewRecord(of.step, of.epoch, before + of.seconds, found.metrics, late)
        self._writer.records([record])
        self.in_hand = None
        self._tell(found, tell)

    def _names(self, of: WaitingLatents) -> tuple[str, ...]:
        """Return the class names: those given, else the labels' numbers; none without labels."""
        given = [labels for labels in (of.labels, of.bank_labels) if labels is not None]
        most = max((int(labels.max()) for labels in given), default=UNLABELLED)
        if most == UNLABELLED:
            return ()
        if not self._classes or len(self._classes) <= most:
            self._classes = tuple(str(number) for number in range(most + 1))
        return self._classes

    def _tell(self, found: Measured, tell: Tell) -> None:
        """Add the log's lines and the events of an evaluation that was written."""
        step, dimensions = found.of.step, found.of.queries.shape[1]
        if self._dimensions not in (None, dimensions):
            text = f"The latents have {counted(dimensions, 'dimension')} from here on."
            tell("stage", step, text)
        self._dimensions = dimensions
        shown = [f"{word} {found.metrics[name]:.4g}" for name, word in _SHOWN.items()
                 if name in found.metrics]  # fmt: skip
        self._writer.log(f"step {step:,}: {len(found.of.queries):,} latents, {', '.join(shown)}")
        if found.missing != self._missing:  # not again at each evaluation
            self._missing = found.missing
            for line in missing_lines(found.missing):
                self._writer.log(f"missing: {line}")
        collapsed = bool(found.collapse) and step >= _WARM_UP
        if collapsed and not self._collapsed:
            text = f"The latents have collapsed: {found.collapse}."
            tell("collapse", step, text)
        self._collapsed = collapsed
