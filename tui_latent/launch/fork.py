"""Fork a run: a new run that starts from one of its checkpoints, with other settings."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tui_latent.config.plugin_needs import plugin_words
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_run_preset, parse_preset
from tui_latent.config.setting_values import write_value
from tui_latent.config.settings import Preset
from tui_latent.config.tuning import with_values
from tui_latent.launch.extend import epochs_setting
from tui_latent.launch.foreign import refuse_foreign
from tui_latent.launch.start import check_preset, provenance_of
from tui_latent.launch.tune import checkpoint_steps, run_events
from tui_latent.runs.author import author
from tui_latent.runs.control import read_request
from tui_latent.runs.events import LR_FACTOR, Kind, RunEvent, new_event, settings_at
from tui_latent.runs.history import copy_history, share_file, write_events
from tui_latent.runs.image_classes import CLASSES_FILE
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.new_run import make_run_folder
from tui_latent.runs.run_list import run_status
from tui_latent.runs.schema import RunError, Status
from tui_latent.runs.status import write_status
from tui_latent.trained_on import IMAGES_FILE
from tui_latent.training.checkpoint_index import Index, write_index
from tui_latent.training.schedule import plan_stages, stage_at

_FIXED: Final = frozenset(
    f"train.{name}" for name in ("batch_size", "optimizer", "weight_decay", "momentum", "seed")
) | {"method.initial_weights"}
"""settings that the optimiser's state depends on, those that choose the images of a step, and the
weights before the first step"""
_ANY_TIME: Final = frozenset({"data.resident", "data.show"})
"""settings of the images that change no weight: where they are, and which channels are shown"""
_AHEAD: Final = frozenset({"title", "epochs", "lr", "warmup_epochs"})
"""settings of a stage that can change after it has begun"""


def forked_preset(path: Path, step: int, overrides: Mapping[str, object]) -> tuple[Preset, str]:
    """Return the preset of a fork from the checkpoint at a step, and its changes in words.

    PresetError for what `--set` would refuse, and for settings that the checkpoint fixes.
    """
    refuse_foreign(path, "be forked")
    events, _ = run_events(path)
    values = dict(settings_at(events, step))
    values.pop(LR_FACTOR, None)
    before = with_values(load_run_preset(path), values)
    if before.method.fitted:
        problem = f"{before.method.name} is fitted in one go: start a new run"
        raise PresetError(path.name, [("", problem)])
    epoch, stage = _epoch_and_stage(path, before, step)
    # Those for all stages first: one for a single stage adds to them.
    asked = {
        each: overrides[key]
        for key in sorted(overrides, key=lambda key: "*" not in key)
        for each in _keys_ahead(key, stage, len(before.stages))
    }
    after = parse_preset(before.model_dump(mode="json"), asked, where=path.name)
    old = {field.key: field.value for field in preset_fields(before)}
    new = {field.key: field.value for field in preset_fields(after)}
    changed = [key for key in new | old if old.get(key) != new.get(key)]
    if len(before.stages) != len(after.stages):
        raise PresetError(path.name, [("stages", "the checkpoint fixes their number")])
    _refuse_fixed(path, after, changed, stage, epoch, step)
    words = ", ".join(
        f"{key} {write_value(key, old[key])} → {write_value(key, new[key])}"
        for key in changed
        if key in old and key in new
    )
    return after, words


def fork_run(
    path: Path,
    runs: Path,
    step: int | None = None,
    overrides: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Path:
    """Make a run in `runs` that continues from a checkpoint of the run at `path`; return its path.

    Without a step, the newest checkpoint is used. PresetError as in `forked_preset`; RunError
    when there is no such checkpoint, or its networks do not fit the settings.
    """
    from tui_latent.training.checkpoint import checkpoint_file, read_checkpoint

    refuse_foreign(path, "be forked")
    overrides = overrides or {}
    step = checkpoint_to_fork(path, step)
    after, words = forked_preset(path, step, overrides)
    check_preset(after, runs, where=path.name)
    state, sha256 = read_checkpoint(path / "checkpoints", step)
    _refuse_other_networks(path, after, state)
    preset_name = read_manifest(path).preset_name
    command = shlex.join(
        ["tui-latent", "fork", str(path.absolute()), "--step", str(step), *plugin_words(after)]
        + [
            part
            for key, v in overrides.items()
            for part in ("--set", f"{key}={write_value(key, v)}")
        ]
    )
    origin = {"run": path.name, "path": str(path.absolute()), "step": step}
    provenance = provenance_of(preset_name, after, command) | {"forked_from": origin}
    text = f"Forked from {path.name}{': ' + words if words else ''}."

    def fill(draft: Path) -> None:
        copy_history(path, draft, step)
        file, folder = checkpoint_file(path / "checkpoints", step), draft / "checkpoints"
        folder.mkdir()
        share_file(file, folder / file.name)
        write_index(folder, Index(file.name, sha256={file.name: sha256} if sha256 else {}))
        with suppress(FileNotFoundError):  # a run of version 0.1 has none
            shutil.copyfile(path / IMAGES_FILE, draft / IMAGES_FILE)
        with suppress(FileNotFoundError):  # few runs have one
            shutil.copyfile(path / CLASSES_FILE, draft / CLASSES_FILE)
        write_events(draft, [_event("fork", step, text), *_factor(path, step)])
        write_status(draft, Status(step=step, checkpoint_step=step, seconds=state["seconds"]))

    return make_run_folder(runs, preset_name, after.model_dump(mode="json"), provenance, name, fill)


def checkpoint_to_fork(path: Path, step: int | None) -> int:
    """Return `step` if the run has a checkpoint of it, the newest one's if None; RunError."""
    steps = checkpoint_steps(path)
    if not steps:
        raise RunError(f"{path.name} has no checkpoint yet: train it first")
    if step is not None and step not in steps:
        kept = ", ".join(f"{kept:,}" for kept in steps)
        raise RunError(
            f"{path.name} has no checkpoint of step {step:,}, only of {kept}: the newest two and "
            "the best are kept"
        )
    return steps[-1] if step is None else step


def _factor(path: Path, step: int) -> list[RunEvent]:
    """Return the event that carries over a factor on the learning rate, if there is one."""
    otherwise = read_request(path).first_lr_factor
    factor = settings_at(run_events(path)[0], step).get(LR_FACTOR, otherwise)
    if factor == 1.0:
        return []
    text = f"Learning rate {factor:g} times the schedule's, as before."
    return [_event("rate", step, text, setting=LR_FACTOR, old=1.0, new=factor)]


def _event(kind: Kind, step: int, text: str, **fields: Any) -> RunEvent:
    return new_event(kind, step, text, who=author(), **fields)


def _epoch_and_stage(path: Path, preset: Preset, step: int) -> tuple[int, int]:
    """Return the steps of an epoch, and the index of the stage that a step belongs to."""
    status = run_status(path)
    epoch = max(status.total_steps // status.total_epochs, 1) if status.total_epochs else 1
    return epoch, stage_at(plan_stages(preset, epoch), step - 1).index


def _keys_ahead(key: str, stage: int, stages: int) -> list[str]:
    """Return what `stages.*.lr` stands for in the stages that are not over; other keys as they are.

    If it can be changed in none of them, the key itself: it will be refused.
    """
    every, _, name = key.rpartition(".")
    if every != "stages.*":
        return [key]
    first = stage if name in _AHEAD else stage + 1
    return [f"stages.{index}.{name}" for index in range(first, stages)] or [key]


def _refuse_fixed(
    path: Path, after: Preset, changed: list[str], stage: int, epoch: int, step: int
) -> None:
    """Raise PresetError for settings that a checkpoint fixes, or that leave nothing to train."""
    problems = []
    for key in changed:
        section, *rest = key.split(".")
        if (section == "data" and key not in _ANY_TIME) or key in _FIXED:
            problems.append((key, "is fixed by the checkpoint: start a new run to change it"))
        elif section == "stages" and int(rest[0]) < stage:
            problems.append((key, f"stage {int(rest[0]) + 1} is over"))
        elif section == "stages" and int(rest[0]) == stage and rest[1] not in _AHEAD:
            problems.append((key, f"is fixed: stage {stage + 1} has begun"))
    total = plan_stages(after, epoch)[-1].end
    if not problems and total <= step:
        done = f"{step / epoch:g} epoch{' is' if step == epoch else 's are'} done"
        problems.append(
            ("", f"{done} at step {step:,}, and the preset trains for {total // epoch}. "
                 f"Raise {epochs_setting(after)}, or choose an earlier step")
        )  # fmt: skip
    if problems:
        raise PresetError(path.name, problems)


def _refuse_other_networks(path: Path, preset: Preset, state: Mapping[str, Any]) -> None:
    """Raise RunError when the settings give other networks than those in the checkpoint."""
    from tui_latent.methods import METHODS

    method = METHODS[preset.method.name](preset.method, state["input_shape"])
    for stage in preset.training_stages()[: state["stage"] + 1]:
        method.start_stage(stage)
    made = {name: tuple(tensor.shape) for name, tensor in method.state_dict().items()}
    held = {name: tuple(tensor.shape) for name, tensor in state["method"].items()}
    if made != held:
        raise RunError(
            f"{path.name}: with these settings the networks would have other weights than those in "
            "the checkpoint: start a new run to change networks or latent dimensions"
        )
