"""Trials that Optuna chooses by the results of earlier ones, pruned by their evaluations."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from tui_latent.config.preset_files import PresetError, nearest
from tui_latent.launch.sweep.folder import SweepFolder
from tui_latent.launch.sweep.plan import Planner, fingerprint
from tui_latent.launch.sweep.sources import Given
from tui_latent.launch.sweep.study import (
    distribution,
    opened_study,
    parameters,
    require_optuna,
    settings,
)
from tui_latent.runs.metric_specs import METRICS
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError, RunSnapshot
from tui_latent.runs.sweep_folder import Search, SweepRun

_KNN: Final = re.compile(r"val/knn_[1-9]\d{0,3}")
_SAME_IN_A_ROW: Final = 30
"""suggestions of what was trained already, after which the search is believed to be exhausted"""


class SearchedTrials:
    """Trials that a study of Optuna suggests; its storage lies in the sweep's folder."""

    def __init__(self, folder: SweepFolder, planner: Planner, search: Search) -> None:
        """Go on with the study of an earlier sweep, if there is one; RunError without Optuna."""
        self._optuna = require_optuna()
        self._folder, self._planner, self._search = folder, planner, search
        self._distributions = {key: distribution((key, of)) for key, of in planner.grid}
        tried = {run.number: run.values for run in folder.manifest.runs if run.number is not None}
        self._study = opened_study(folder.path, search, planner.grid, tried)
        self._asked: dict[str, Any] = {}
        """Optuna's trial of each run that has no value yet"""
        self._reported: dict[str, int] = {}
        """step of the newest evaluation that was reported, by run"""
        self._named: dict[str, str] = {}
        """run that trains a preset, by its fingerprint"""
        self._values: dict[str, float] = {}
        """the results of the runs"""
        self._same = 0
        self._waiting = self._known()

    def total(self) -> int:
        """Return how many trials there will be."""
        known = len(self._folder.manifest.runs)
        return known if self._same >= _SAME_IN_A_ROW else max(self._search.trials, known)

    def exhausted(self) -> bool:
        """Return whether all have been given, or nothing new is suggested any more."""
        return not self._waiting and self._left() <= 0

    def _left(self) -> int:
        if self._same >= _SAME_IN_A_ROW:
            return 0
        return self._search.trials - len(self._folder.manifest.runs)

    def take(self, most: int) -> list[Given]:
        """Return runs that were not finished, then new suggestions, one at a time.

        One at a time, because each suggestion follows from all that is known when it is made.
        """
        if self._waiting:
            return [self._waiting.pop(0)]
        while self._left() > 0:
            asked = self._study.ask(self._distributions)
            trial = self._planner.trial(settings(asked.params, self._planner.grid))
            same = fingerprint(trial.preset)
            if (name := self._named.get(same)) is not None:
                self._same += 1
                self._answer_as(asked, name)
                continue
            self._same = 0
            (run,) = self._folder.add([(trial, asked.number)])
            self._named[same], self._asked[run.name] = run.name, asked
            return [(trial, run)]
        return []

    def looks(self, run: SweepRun, snapshot: RunSnapshot) -> bool:
        """Report a run's newest evaluation; return whether the study prunes it."""
        asked = self._asked.get(run.name)
        curve = snapshot.curves.get(self._search.metric)
        if asked is None or curve is None or not len(curve.steps):
            return False
        step = int(curve.steps[-1])
        if step <= self._reported.get(run.name, -1) or not math.isfinite(curve.last):
            return False
        self._reported[run.name] = step
        asked.report(curve.last, step)
        return bool(asked.should_prune())

    def told(self, run: SweepRun, snapshot: RunSnapshot) -> None:
        """Tell the study the result of a run; RunError if the run has no value to search by."""
        value = snapshot.newest(self._search.metric)
        if value is not None and math.isfinite(value):
            self._values[run.name] = value
        elif snapshot.status.state == "finished" and not run.pruned:
            why = snapshot.missing.get(self._search.metric, "choose another metric")
            raise RunError(f"{run.name} has no {self._search.metric} to search by: {why}")
        asked = self._asked.get(run.name)
        if asked is None or (snapshot.status.state == "stopped" and not run.pruned):
            return
        del self._asked[run.name]
        states = self._optuna.trial.TrialState
        if run.pruned:
            self._study.tell(asked, state=states.PRUNED)
        elif snapshot.status.state == "finished" and run.name in self._values:
            self._study.tell(asked, value)
        else:
            self._study.tell(asked, state=states.FAIL)

    def _known(self) -> list[Given]:
        """Return the runs that the manifest has, with their trials in the study."""
        optuna = self._optuna
        states = {trial.number: trial for trial in self._study.get_trials(deepcopy=False)}
        known = []
        for run in self._folder.manifest.runs:
            trial = self._planner.trial(run.values)
            self._named[fingerprint(trial.preset)] = run.name
            found = states.get(run.number) if run.number is not None else None
            if found is None:
                run = self._entered_again(run)
            elif not found.state.is_finished():
                self._asked[run.name] = optuna.trial.Trial(self._study, found._trial_id)
                self._reported[run.name] = max(found.intermediate_values, default=-1)
            known.append((trial, run))
        self._folder.add([(trial, run.number) for trial, run in known])  # refuses other settings
        return known

    def _entered_again(self, run: SweepRun) -> SweepRun:
        """Add a run that the study lacks; return the run with its number there."""
        values = parameters(run.values, self._planner.grid)
        if values is None:
            return run
        self._study.enqueue_trial(values)
        self._asked[run.name] = asked = self._study.ask(self._distributions)
        again = replace(run, number=asked.number)
        self._folder.change(again)
        return again

    def _answer_as(self, asked: Any, name: str) -> None:
        """Answer a suggestion with the result of a run that trains the same."""
        if name not in self._values and name not in self._asked:
            snapshot = RunReader(self._folder.path / name).refresh()
            value = snapshot.newest(self._search.metric)
            if value is not None and math.isfinite(value):
                self._values[name] = value
        pruned = any(run.pruned for run in self._folder.manifest.runs if run.name == name)
        if name in self._values and name not in self._asked and not pruned:
            self._study.tell(asked, self._values[name])
        else:
            self._study.tell(asked, state=self._optuna.trial.TrialState.FAIL)


def checked_search(
    engine: str, metric: str, maximise: bool, trials: int, terms: Iterable[str]
) -> Search:
    """Return a search; PresetError for a metric that no run records.

    `terms` are the loss terms of the method.
    """
    names = [spec.name for spec in METRICS]
    names += [f"{split}/{term}" for term in terms for split in ("train", "val")]
    if metric not in names and not _KNN.fullmatch(metric):
        option = "--maximise" if maximise else "--minimise"
        raise PresetError(option, [(metric, f"no run records this metric{nearest(metric, names)}")])
    return Search(engine, metric, maximise, trials)
