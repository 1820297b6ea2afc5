"""The folder of a sweep: made, or found again and compared with what is asked for now."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tui_latent.config.presets import load_run_preset
from tui_latent.config.settings import Preset
from tui_latent.differing_settings import differing_settings, setting_text
from tui_latent.launch.start import with_absolute_paths
from tui_latent.launch.sweep.grid import Choices, Span
from tui_latent.launch.sweep.plan import Trial, run_name
from tui_latent.runs.control import write_request
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.new_run import check_spelling
from tui_latent.runs.process import HOST
from tui_latent.runs.schema import Request, RunError, Status, UnreadableError
from tui_latent.runs.staging import staging_folder
from tui_latent.runs.status import write_status
from tui_latent.runs.sweep_folder import (
    SEED,
    Search,
    SweepManifest,
    SweepRun,
    is_sweep,
    read_sweep,
    write_sweep,
)

_TAKEN: Final = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_OTHER: Final = "use another --name or another --runs folder"

_NAMED: Final = 3
"""changed settings that a sentence names"""


class SweepFolder:
    """The folder of one sweep, whose lock the caller holds once `make` has been called."""

    def __init__(
        self, runs: Path, name: str, preset_name: str, command: str, base: Preset, seeds: int
    ) -> None:
        """`base` is the preset with the first values of what is varied."""
        check_spelling(name)
        self.path = runs / name
        self._runs = runs
        self._preset_name = preset_name
        self._command = command
        self._base = with_absolute_paths(base, runs).model_dump(mode="json")
        self._seeds = seeds
        self.manifest = SweepManifest(preset_name, time.time(), command, {}, self._base)

    def make(self, axes: Sequence[Choices], search: Search | None) -> None:
        """Make the folder, unless there is one; RunError when it is not this sweep's."""
        wanted = {
            key: [str(choices)] if isinstance(choices, Span) else list(choices)
            for key, choices in axes
        }
        if self._seeds > 1:
            wanted[SEED] = []
        self.manifest = replace(self.manifest, axes=wanted, search=search)
        if not is_sweep(self.path):
            self._create()
        found = read_sweep(self.path)
        self._refuse_other(found, wanted, search)
        self.manifest = replace(
            found,
            command=self._command,
            axes={key: _union(found.axes[key], values) for key, values in wanted.items()},
            search=search,
        )

    def _create(self) -> None:
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            with staging_folder(self._runs) as staging:
                draft = staging / "sweep"
                draft.mkdir()
                write_status(draft, Status(host=HOST, heartbeat=time.time()))
                write_request(draft, Request())
                write_sweep(draft, self.manifest)
                draft.rename(self.path)
        except OSError as error:
            if error.errno not in _TAKEN or not self._runs.is_dir():
                where, why = self._runs, error.strerror or error
                raise RunError(f"{where}: cannot create a sweep there: {why}") from error
            if not is_sweep(self.path):  # else another sweep has just made it
                what = f"{self.path}: already exists and is not a sweep"
                raise RunError(f"{what}: {_OTHER}") from error

    def _refuse_other(
        self, found: SweepManifest, wanted: Mapping[str, Any], search: Search | None
    ) -> None:
        """Raise RunError if an earlier sweep of this name was a different one."""
        if set(found.axes) != set(wanted):
            raise RunError(
                f"{self.path}: this sweep varies {_listed(found.axes)}, not {_listed(wanted)}: "
                f"{_OTHER}"
            )
        if (found.search is None) != (search is None):
            how = "searches for its values" if found.search else "was not a search"
            raise RunError(f"{self.path}: this sweep {how}: {_OTHER}")
        if found.search and search:
            before, now = ((s.metric, s.maximise) for s in (found.search, search))
            if before != now:
                words = "maximises" if found.search.maximise else "minimises"
                raise RunError(f"{self.path}: this sweep {words} {found.search.metric}: {_OTHER}")
        varied = (*wanted, *(("method.", "stages.") if "method.name" in wanted else ()))
        if changed := _changes(found.base, self._base, varied):
            raise RunError(
                f"{self.path}: the preset or --set has changed since this sweep began "
                f"({_some(changed)}): {_OTHER}"
            )

    def add(self, trials: Sequence[tuple[Trial, int | None]]) -> list[SweepRun]:
        """Enter trials, each with its number in a search, and return their runs.

        A trial that is entered already keeps its run. RunError, before anything is written, when
        one of the runs was trained with other settings.
        """
        known = {_values_key(run.values): run for run in self.manifest.runs}
        taken: dict[str, object] = {run.name: run for run in self.manifest.runs}
        entered = []
        for trial, number in trials:
            run = known.get(_values_key(trial.values))
            if run is None:
                run = SweepRun(run_name(trial.values, taken), dict(trial.values), number)
                taken[run.name] = run
            self._refuse_changed(run, trial.preset)
            entered.append(run)
        new = [run for run in entered if _values_key(run.values) not in known]
        self._write((*self.manifest.runs, *new))
        return entered

    def change(self, changed: SweepRun) -> None:
        """Replace what the manifest says about a run."""
        self._write([changed if run.name == changed.name else run for run in self.manifest.runs])

    def _write(self, runs: Iterable[SweepRun]) -> None:
        self.manifest = replace(self.manifest, runs=tuple(runs))
        try:
            write_sweep(self.path, self.manifest)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written: {error.strerror or error}") from error

    def _refuse_changed(self, run: SweepRun, preset: Preset) -> None:
        """Raise RunError for a run that exists and was trained with other settings."""
        path = self.path / run.name
        if not path.is_dir():
            return
        try:
            read_manifest(path)
            there = with_absolute_paths(load_run_preset(path), self._runs).model_dump(mode="json")
        except UnreadableError:
            return  # its row says so, and the others are trained
        except RunError as error:
            raise RunError(f"{error}: move it away to train it again, or {_OTHER}") from error
        here = with_absolute_paths(preset, self._runs).model_dump(mode="json")
        if changed := _changes(there, here, ()):
            raise RunError(
                f"{path}: an earlier sweep trained it with different settings "
                f"({_some(changed)}): {_OTHER}"
            )


def _some(changed: Sequence[str]) -> str:
    """Return the first changes in words, and how many others there are."""
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return f"{', '.join(changed[:_NAMED])}{more}"


def _changes(
    there: Mapping[str, Any], here: Mapping[str, Any], varied: tuple[str, ...]
) -> list[str]:
    """Return the settings in which two presets differ, with both values."""
    rows = differing_settings([there, here])
    keys = tuple(varied)
    return [
        f"{row.key} {setting_text(row.values[0])} there, {setting_text(row.values[1])} here"
        for row in rows
        if not any(_covers(key, row.key) for key in keys)
    ]


def _covers(varied: str, key: str) -> bool:
    """Return whether a setting is varied: `stages.*.lr` covers `stages.0.lr`."""
    if varied.endswith("."):
        return key.startswith(varied)
    parts, others = varied.split("."), key.split(".")
    return len(others) >= len(parts) and all(
        part in ("*", other) for part, other in zip(parts, others, strict=False)
    )


def _union(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    return [*first, *(value for value in second if value not in first)]


def _values_key(values: Mapping[str, Any]) -> str:
    return repr(sorted((key, repr(value)) for key, value in values.items()))


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(keys) or "nothing"
