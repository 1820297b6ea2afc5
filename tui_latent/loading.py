"""A run as numpy arrays and plain values, for scripts and notebooks: `tui_latent.load(RUN)`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import MAPPED_FROM
from tui_latent.image_columns import read_columns
from tui_latent.preferences.runs_folders import find_in_folders
from tui_latent.runs.evaluations import evaluation_steps, read_evaluation
from tui_latent.runs.latents_file import LATENTS_FILE
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.origin import Origin
from tui_latent.runs.reader import RunReader
from tui_latent.runs.records import parse_record
from tui_latent.runs.schema import LatentMap, RunError, Status
from tui_latent.runtime.tensor_files import mapped_tensors

if TYPE_CHECKING:
    from tui_latent.analysis.encoder import RunEncoder

_NO_METHOD: Final = {
    "watched": "the network belongs to the loop that was watched. Load its weights as that loop "
    "saves them",
    "opened": "it was opened from files of latents, and has no network",
}


@dataclass(frozen=True, eq=False)
class Records:
    """One metric as it was recorded: every record that stands, in order of steps."""

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    """seconds of training, without pauses"""
    values: NDArray[np.float64]
    """NaN and infinities as they were recorded"""


@dataclass(frozen=True, eq=False)
class Latents:
    """The latents of the newest evaluation, at full width."""

    step: int | None
    """None in runs of version 0.1, which do not record it"""
    queries: NDArray[np.float32]
    """(M, D), of the held-out images"""
    query_labels: NDArray[np.int64]
    """(M,) positions in `class_names`; -1 for an image without a label"""
    bank: NDArray[np.float32] | None
    """(N, D), of the training images; None for a run that has no others than the held-out ones"""
    bank_labels: NDArray[np.int64] | None
    """(N,) as `query_labels`"""


class LoadedRun:
    """What the folder of a run holds. Each part is read when it is first asked for, and kept."""

    def __init__(self, path: Path) -> None:
        """Read the preset, the state and the newest map at `path`; RunError when it is not a
        run."""
        self.path = path
        self._reader = RunReader(path)
        snapshot = self._reader.refresh()
        self.name: str = snapshot.name
        self.origin: Origin = snapshot.origin
        """`trained` by tui-latent, `watched` in another loop, or `opened` from files"""
        self.preset: Mapping[str, Any] = snapshot.preset
        """the resolved preset, a table per section; for a run from elsewhere, what it says about
        itself"""
        self.provenance: Mapping[str, Any] = snapshot.provenance
        """command, seed, versions, host"""
        self.status: Status = snapshot.status
        self.class_names: tuple[str, ...] = snapshot.class_names
        """empty before the first evaluation, and where nothing has a label"""
        self.map: LatentMap | None = snapshot.map
        """the newest map: `points` (N, 2), `labels`, `indices`; None before the first evaluation"""
        self.map_steps: tuple[int, ...] = snapshot.map_steps
        """steps at which there is a map"""

    def __repr__(self) -> str:
        return f"<{self.origin} run {self.name}: {self.status.state}, step {self.status.step:,}>"

    @property
    def config(self) -> Mapping[str, Any]:
        """What a watched loop says about its own settings; empty for other runs."""
        table = self.preset.get("config", {})
        return table if isinstance(table, Mapping) else {}

    def map_at(self, step: int) -> LatentMap:
        """Return the map of a step; RunError when there is none that can be read."""
        found = self._reader.map_at(step)
        if found is None:
            raise RunError(
                f"{self.name} has no map of step {step:,}: `map_steps` lists those it has"
            )
        return found

    @cached_property
    def curves(self) -> Mapping[str, Records]:
        """Every metric by its name, such as `train/loss`, with all its records."""
        reader = MetricsReader(self.path / "metrics.jsonl")
        reader.refresh()
        found: dict[str, dict[int, tuple[float, float]]] = {}
        for line in reader.standing_lines(reader.last_step):
            if record := parse_record(line):
                for name, value in record.values.items():
                    found.setdefault(name, {})[record.step] = (record.time, value)
        return {name: _records(at) for name, at in found.items()}

    @cached_property
    def latents(self) -> Latents:
        """The newest latents; RunError when there are none yet, or the file is damaged.

        A large file is mapped into memory, so that only what is looked at is read.
        """
        path = self.path / LATENTS_FILE
        try:
            arrays, header = mapped_tensors(path)
            if path.stat().st_size < MAPPED_FROM:
                arrays = {name: array.copy() for name, array in arrays.items()}
            step = str(header.get("__metadata__", {}).get("step", ""))
            return Latents(
                int(step) if step.isdecimal() else None,
                arrays["query_latents"],
                arrays["query_labels"],
                arrays.get("bank_latents"),
                arrays.get("bank_labels"),
            )
        except FileNotFoundError as error:
            raise RunError(
                f"{self.name} has no latents yet: the first evaluation writes them"
            ) from error
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{path}: cannot be read: {error}") from error

    @cached_property
    def evaluations(self) -> Mapping[int, Mapping[str, Any]]:
        """What `tui-latent evaluate` found, by step; empty when it was never asked."""
        found = {step: read_evaluation(self.path, step) for step in evaluation_steps(self.path)}
        return {step: evaluation for step, evaluation in found.items() if evaluation is not None}

    @cached_property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """What a table says about the held-out images, by column: numbers, NaN without a value, or
        texts, empty without one; in the order of `latents.queries`. Empty without a table."""
        return {
            column.name: np.array([column.text(row) for row in range(len(column))])
            if column.numbers is None
            else column.numbers
            for column in read_columns(self.path).val
        }

    def encoder(self) -> RunEncoder:
        """Return the trained network as a torch module on the CPU, in evaluation mode.

        It takes images (N, C, H, W), uint8 or floats in 0..1, and returns latents (N, D), with the
        preprocessing of the training. RunError for a run that has no network or no checkpoint.
        """
        if why := _NO_METHOD.get(self.origin):
            raise RunError(f"{self.name} has no encoder: {why}")
        from tui_latent.analysis.encoder import read_encoder

        try:
            return read_encoder(RunData(self.path))
        except InspectionError as error:
            raise RunError(str(error)) from error


def load(run: str | os.PathLike[str], runs: str | os.PathLike[str] | None = None) -> LoadedRun:
    """Return a run, given by its path, its name, the start of its name, or `latest`.

    Names are looked for in the folder `runs`: by default $TUI_LATENT_RUNS, else those of the
    config file, else ./runs. RunError when there is no such run, or more than one.
    """
    return LoadedRun(find_in_folders(os.fspath(run), None if runs is None else os.fspath(runs)))


def _records(at: Mapping[int, tuple[float, float]]) -> Records:
    """Return the last record of each step, as arrays."""
    rows = sorted(at.items())
    steps = np.array([step for step, _ in rows], dtype=np.int64)
    table = np.array([row for _, row in rows], dtype=np.float64).reshape(-1, 2)
    return Records(steps, table[:, 0].copy(), table[:, 1].copy())
