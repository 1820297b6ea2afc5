"""Where a sweep's trials come from: a list that is known from the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tui_latent.launch.sweep.folder import SweepFolder
from tui_latent.launch.sweep.plan import Trial
from tui_latent.runs.schema import RunSnapshot
from tui_latent.runs.sweep_folder import SweepRun

Given = tuple[Trial, SweepRun]


class TrialSource(Protocol):
    """Gives a sweep its trials."""

    def total(self) -> int:
        """Return how many trials there will be."""

    def take(self, most: int) -> list[Given]:
        """Return the next trials, entered in the folder; empty if there is none now."""

    def exhausted(self) -> bool:
        """Return whether there will be no more."""

    def looks(self, run: SweepRun, snapshot: RunSnapshot) -> bool:
        """Look at a run in training; return whether it should be stopped."""

    def told(self, run: SweepRun, snapshot: RunSnapshot) -> None:
        """Take note of a run that has ended."""


class ListedTrials:
    """The trials of a plan, in their order."""

    def __init__(self, folder: SweepFolder, trials: Sequence[Trial]) -> None:
        """Enter them all; RunError as in `SweepFolder.add`."""
        runs = folder.add([(trial, None) for trial in trials])
        self._waiting = list(zip(trials, runs, strict=True))
        self._total = len(runs)

    def total(self) -> int:
        """Return how many trials there are."""
        return self._total

    def take(self, most: int) -> list[Given]:
        """Return the next trials."""
        given, self._waiting = self._waiting[:most], self._waiting[most:]
        return given

    def exhausted(self) -> bool:
        """Return whether all have been given."""
        return not self._waiting

    def looks(self, run: SweepRun, snapshot: RunSnapshot) -> bool:
        """Stop none."""
        return False

    def told(self, run: SweepRun, snapshot: RunSnapshot) -> None:
        """Need nothing."""
