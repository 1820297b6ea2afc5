"""Create a run and train it: the face of `training/` for those who must not import torch."""

from __future__ import annotations

import platform
from pathlib import Path

from tui_latent.data.facts import describe_source
from tui_latent.hardware import no_gpu_reason
from tui_latent.heap import give_memory_back
from tui_latent.preset_files import PresetError, names_a_file
from tui_latent.presets import train_command
from tui_latent.records.control import request
from tui_latent.records.reader import RunReader
from tui_latent.records.runs import busy_error, find_run
from tui_latent.records.schema import LIVE_STATES, RunError, Status
from tui_latent.records.writer import RunWriter
from tui_latent.settings import Preset, VicregSettings
from tui_latent.versions import version_of

_VERSIONED = ("tui-latent", "torch", "torchvision", "numpy", "scikit-learn", "textual", "plotext")


def check_preset(preset: Preset, runs: Path, where: str) -> None:
    """Find what would fail before the first step, without torch; PresetError names the key."""
    problems = []
    method = preset.method
    if isinstance(method, VicregSettings) and method.views == "neighbours":
        try:
            if not method.neighbours_run:
                raise RunError("name the earlier run: --set method.neighbours_run=RUN")
            find_run(runs, method.neighbours_run)
        except RunError as error:
            problems.append(("method.neighbours_run", str(error)))
    if problem := describe_source(preset.data).problem:
        problems.append(("data", problem))
    if preset.data.weights and not names_a_file(preset.data.weights):
        problems.append(("data.weights", f"no file is at '{preset.data.weights}'"))
    if preset.train.device.startswith("cuda") and (reason := no_gpu_reason()):
        problems.append(("train.device", f"{reason}: use --device cpu"))
    if problems:
        raise PresetError(where, problems)


def create_run(preset_name: str, preset: Preset, runs: Path, name: str | None = None) -> Path:
    """Make the run folder of a preset; PresetError when it cannot train, RunError for its name."""
    check_preset(preset, runs, where=preset_name)
    provenance = {
        "preset": preset_name,
        "seed": preset.train.seed,
        "command": train_command(preset_name, preset),
        "host": platform.node(),
        "python": platform.python_version(),
        "versions": {package: version_of(package) for package in _VERSIONED},
    }
    writer = RunWriter.create(runs, preset_name, preset.model_dump(mode="json"), provenance, name)
    writer.close()
    return writer.path


def train_run(path: Path) -> Status:
    """Train a run, or resume it from its last checkpoint; return its status at the end.

    A run that fails says so in its status; RunBusyError when another process trains it.
    """
    status = RunReader(path).refresh().status
    if status.pid and status.state in LIVE_STATES:  # before its request is changed for it
        raise busy_error(path, status, "try again")
    if status.state != "starting":
        request(path, state="run")
    from tui_latent.training.session import train

    try:
        train(path)
    finally:
        give_memory_back()
    return RunReader(path).refresh().status
