"""Create a run and train it: the entry to `training/` for modules that must not import torch."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui_latent.config.methods import MethodSettings
from tui_latent.config.plugin_needs import PLUGINS, changed_plugins, plugin_records
from tui_latent.config.preset_files import PresetError, names_a_file, preset_stem
from tui_latent.config.settings import Preset
from tui_latent.config.train_command import train_command
from tui_latent.datasets.describe import describe_images
from tui_latent.launch.foreign import refuse_foreign
from tui_latent.launch.timm_encoder import initial_file, network_problems
from tui_latent.nouns import counted
from tui_latent.runs.control import read_request, take_up
from tui_latent.runs.manifest import PRESET_FILE, read_manifest
from tui_latent.runs.queue import leave_queue
from tui_latent.runs.run_list import find_run
from tui_latent.runs.schema import Request, RunError, Status
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.hardware import devices, no_gpu_reason
from tui_latent.runtime.launcher import launch_id, place, restarts
from tui_latent.runtime.limits import cpu_cores
from tui_latent.runtime.malloc import trim_memory
from tui_latent.runtime.versions import version_of
from tui_latent.sources import SOURCES

_VERSIONED = ("tui-latent", "torch", "torchvision", "numpy", "scikit-learn", "textual", "plotext")


def check_preset(preset: Preset, runs: Path, where: str) -> None:
    """Raise PresetError for what would fail before the first step, by key; without torch."""
    problems = []
    if earlier := preset.method.earlier_run():
        key = f"method.{earlier.setting}"
        try:
            if not earlier.run:
                raise RunError(f"name the earlier run: --set {key}=RUN")
            find_run(runs, earlier.run)
        except RunError as error:
            problems.append((key, str(error)))
    if problem := describe_images(preset).problem:
        key, named, rest = problem.partition(": ")
        names_it = bool(named) and key.startswith("data.") and " " not in key
        problems.append((key, rest) if names_it else ("data", problem))
    if preset.data.weights and not names_a_file(preset.data.weights):
        problems.append(("data.weights", f"there is no file at '{preset.data.weights}'"))
    problems += network_problems(preset)
    if preset.train.device.startswith("cuda") and (reason := no_gpu_reason()):
        problems.append(("train.device", f"{reason}: use --device cpu"))
    if problem := devices_problem(preset):
        problems.append(("train.devices", problem))
    if problems:
        raise PresetError(where, problems)


def devices_problem(preset: Preset) -> str:
    """Return why the processes that a preset asks for cannot train it here; empty if they can."""
    train, many = preset.train, preset.train.devices
    if many == 1 or place().world > 1:
        return ""
    if preset.method.fitted:
        return f"the method '{preset.method.name}' does not train in steps: use 1"
    if ":" in train.device:
        return f"train.device is '{train.device}', a single one: use train.device=cuda"
    gpus = sum(device.kind == "cuda" for device in devices())
    if train.device == "cuda" or (train.device == "auto" and gpus):
        if not gpus:
            return "this machine has no GPU: use train.device=cpu"
        if many > gpus:
            return f"this machine has {counted(gpus, 'GPU')}: use {gpus} at most"
    elif many > (cores := cpu_cores()):
        return f"this machine has {counted(cores, 'core')}: use {cores} at most"
    if left := train.batch_size % many:
        sizes = [size for size in (train.batch_size - left, train.batch_size - left + many) if size]
        choices = " or ".join(f"train.batch_size={size}" for size in sizes)
        return f"{many} processes cannot evenly divide a batch of {train.batch_size}: use {choices}"
    return ""


def with_absolute_paths(preset: Preset, runs: Path) -> Preset:
    """Return a preset that means the same in another folder and on another day."""
    data = preset.data
    changes = {"weights": _absolute(data.weights)}
    if SOURCES[data.source].needs_path:
        changes |= {"path": _absolute(data.path), "root": _absolute(data.root)}
    update: dict[str, object] = {"data": data.model_copy(update=changes)}
    if file := initial_file(preset.method):
        absolute = {"initial_weights": _absolute(file)}
        update["method"] = preset.method.model_copy(update=absolute)
    if earlier := preset.method.earlier_run():
        with suppress(RunError):  # the preset of a run whose earlier run is gone by now
            path = _absolute(str(find_run(runs, earlier.run)))
            method = update.get("method", preset.method)
            assert isinstance(method, MethodSettings)
            update["method"] = method.model_copy(update={earlier.setting: path})
    return preset.model_copy(update=update)


def _absolute(path: str) -> str:
    """Return an absolute path, without `..` unless a link gives that another meaning."""
    if not path:
        return path
    try:
        absolute = Path(path).expanduser().absolute()
        plain = os.path.normpath(absolute)
        return plain if os.path.realpath(plain) == os.path.realpath(absolute) else str(absolute)
    except (OSError, RuntimeError, ValueError):  # not a path at all: its reader says so
        return path


def run_of_launch(runs: Path) -> Path | None:
    """Return the run that these processes trained before their launcher restarted them.

    None if they are not restarted, or ended before they had made the run.
    """
    if not restarts():
        return None
    for file in runs.glob(f"*/{PRESET_FILE}"):
        with suppress(RunError):
            if read_manifest(file.parent).provenance.get("launch") == launch_id():
                return file.parent
    return None


def create_run(preset_name: str, preset: Preset, runs: Path, name: str | None = None) -> Path:
    """Make the run folder of a preset; PresetError when it cannot train, RunError for its name.

    `preset_name` is the name or the file that the preset was loaded by: the run keeps the command
    that trains it again.
    """
    check_preset(preset, runs, where=preset_name)
    return make_run(preset_name, preset, runs, name)


def make_run(preset_name: str, preset: Preset, runs: Path, name: str | None) -> Path:
    """Do what `create_run` does, for a preset that has been checked."""
    preset, stem = with_absolute_paths(preset, runs), preset_stem(preset_name)
    provenance = provenance_of(stem, preset, train_command(preset_name, preset))
    writer = RunWriter.create(runs, stem, preset.model_dump(mode="json"), provenance, name)
    writer.close()
    return writer.path


def provenance_of(preset_name: str, preset: Preset, command: str) -> dict[str, Any]:
    """Return what a new run notes about its origin; `command` makes it again."""
    return {
        "preset": preset_name,
        "seed": preset.train.seed,
        "command": command,
        "host": platform.node(),
        "python": platform.python_version(),
        "versions": {package: version_of(package) for package in _VERSIONED},
        **({PLUGINS: records} if (records := plugin_records(preset)) else {}),
        **({"launch": launch} if (launch := launch_id()) else {}),
    }


def fail_run(path: Path, message: str) -> None:
    """Record that a run failed before its training began; RunBusyError if it is being trained."""
    writer = RunWriter.reopen(path)
    try:
        writer.lock()
        writer.log(f"failed: {message}")
        writer.status(state="failed", error=message, phase="")
    finally:
        writer.close()


def train_run(path: Path, asked_before: Request | None = None) -> Status:
    """Train a run, or resume it from its last checkpoint; return its status at the end.

    A run that fails says so in its status. RunBusyError, before anything is changed, when another
    process is training it. Earlier requests no longer count; those since `asked_before` (else since
    this call) do, such as a stop while it starts.
    """
    refuse_foreign(path, "be trained or resumed")
    if asked_before is None:
        asked_before = read_request(path)
    writer = RunWriter.reopen(path)
    before = writer.lock()
    try:
        if before.pid or before.state != "starting":
            take_up(path, asked_before)
            writer.checkpoints_before = asked_before.checkpoints
        with suppress(RunError):  # it trains even if the queue cannot be written
            leave_queue(path)
        for sentence in changed_plugins(path):
            writer.log(sentence)
        from tui_latent.training.session import train
    except BaseException:
        writer.close()
        raise
    try:
        train(writer)
    finally:
        trim_memory()
    return writer.status()
