"""Extend a run beyond its planned length: its preset changes, and the run records the change."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import tomli_w

from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import PresetError, read_table
from tui_latent.config.presets import load_run_preset, parse_preset, preset_table
from tui_latent.config.settings import Preset
from tui_latent.launch.foreign import refuse_foreign
from tui_latent.launch.start import devices_problem
from tui_latent.nouns import counted
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.manifest import PRESET_FILE
from tui_latent.runs.run_list import LOCK_FILE, busy_error, refuse_trained, run_status
from tui_latent.runs.schema import RunError, Status
from tui_latent.training.schedule import lr_at, plan_stages, stage_at

_PATIENCE = "train.patience"
_DEVICES = "train.devices"


def epochs_setting(preset: Preset) -> str:
    """Return the setting that lengthens a run: the epochs of its last stage, if it has stages."""
    return f"stages.{len(preset.stages) - 1}.epochs" if preset.stages else "train.epochs"


def settings_for_epochs(path: Path, total: int) -> dict[str, object]:
    """Return what to set so that the run at `path` trains for `total` epochs; PresetError."""
    refuse_foreign(path, "be lengthened")
    preset = load_run_preset(path)
    earlier = sum(stage.epochs for stage in preset.training_stages()[:-1])
    if total <= earlier:
        problem = f"the stages before the last take {counted(earlier, 'epoch')}: ask for more"
        raise PresetError(path.name, [("--epochs", problem)])
    return {epochs_setting(preset): total - earlier}


def change_length(path: Path, settings: Mapping[str, object]) -> str:
    """Change epochs, patience or devices of the run at `path`; return the effect in words.

    Other settings, and fewer epochs than are done, are refused with a PresetError, and a run that
    is being trained with a RunBusyError. `[[provenance.changes]]` keeps what was before. RunError
    when the folder cannot be written.
    """
    refuse_foreign(path, "be lengthened")
    refuse_trained(path, "lengthen it")
    lock = FileLock(path / LOCK_FILE)
    try:
        lock.take()
    except BlockingIOError as error:
        raise busy_error(path, run_status(path), "lengthen it") from error
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        return _change(path, settings, run_status(path))
    finally:
        lock.release()


def _change(path: Path, settings: Mapping[str, object], status: Status) -> str:
    before = load_run_preset(path)
    if before.method.fitted:
        problem = f"{before.method.name} is fitted in one go: there are no epochs"
        raise PresetError(path.name, [("", problem)])
    after = parse_preset(preset_table(path / PRESET_FILE), settings, where=path.name)
    old = {field.key: field.value for field in preset_fields(before)}
    new = {field.key: field.value for field in preset_fields(after)}
    changed = [key for key in new if old.get(key) != new[key]]
    _refuse(path, before, after, changed, status)
    table = read_table(path / PRESET_FILE)
    for key in changed:
        *parents, name = key.split(".")
        node = table["stages"][int(parents[1])] if parents[0] == "stages" else table["train"]
        node[name] = new[key]
    kept = {
        "created": time.time(),
        "step": status.step,
        "epoch": status.epoch,
        "before": {key: old[key] for key in changed},
        "after": {key: new[key] for key in changed},
    }
    table.setdefault("provenance", {}).setdefault("changes", []).append(kept)
    try:
        replace_file(path / PRESET_FILE, tomli_w.dumps(table).encode(), durable=True)
    except OSError as error:
        raise RunError(f"{path / PRESET_FILE}: cannot be written: {error.strerror}") from error
    return _told(before, after, status)


def _refuse(
    path: Path, before: Preset, after: Preset, changed: Iterable[str], status: Status
) -> None:
    """Raise PresetError for what cannot be changed, or would train nothing."""
    may = epochs_setting(before)
    fixed = [key for key in changed if key not in (may, _PATIENCE, _DEVICES)]
    if fixed or len(before.stages) != len(after.stages):
        problem = (
            f"cannot be changed after a run has begun; only {may}, {_PATIENCE} and {_DEVICES} "
            "can be changed"
        )
        raise PresetError(path.name, [(key, problem) for key in fixed or ["stages"]])
    if _DEVICES in changed and (problem := devices_problem(after)):
        raise PresetError(path.name, [(_DEVICES, problem)])
    total = _epochs(after)
    if total <= status.epoch:
        more = int(status.epoch) + 1 - _epochs(before) + before.training_stages()[-1].epochs
        done = f"{status.epoch:g} epoch{' is' if status.epoch == 1 else 's are'} done"
        problem = f"{done}: {may} must be {more} or more"
        raise PresetError(path.name, [("", problem)])
    stopped_early = status.state == "finished" and status.epoch < _epochs(before)
    if stopped_early and before.train.patience and after.train.patience == before.train.patience:
        problem = (
            f"train.patience={before.train.patience} ended it at step {status.step:,}, and would "
            "end it there again: add --set train.patience=0"
        )
        raise PresetError(path.name, [("", problem)])


def _told(before: Preset, after: Preset, status: Status) -> str:
    total, planned = _epochs(after), _epochs(before)
    length = counted(total, "epoch") + (f" instead of {planned}" if total != planned else "")
    if (many := after.train.devices) != before.train.devices:
        length += f", with {counted(many, 'process')}"
    if status.total_steps and status.total_epochs:
        stages = plan_stages(after, max(status.total_steps // status.total_epochs, 1))
        stage = stage_at(stages, status.step)
        now = lr_at(status.step, stage, after.train.schedule)
    else:
        now = lr_at(0, plan_stages(after, 1)[0], after.train.schedule)
    if after.train.schedule == "constant":
        return f"trains for {length}; the learning rate stays constant at {now:.3g}"
    where = f"stage {len(after.stages)}" if after.stages else "all epochs"
    return (
        f"trains for {length}; the learning rate continues at {now:.3g} and falls to 0 at the new "
        f"end: one cosine over {where}, as if this length had been planned from the start"
    )


def _epochs(preset: Preset) -> int:
    return sum(stage.epochs for stage in preset.training_stages())
