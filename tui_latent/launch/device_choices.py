"""How many processes a run can continue with here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_latent.config.presets import load_run_preset
from tui_latent.config.settings import Preset
from tui_latent.launch.start import devices_problem
from tui_latent.runs.command_word import command_word
from tui_latent.runs.schema import RunError
from tui_latent.runtime.hardware import devices
from tui_latent.runtime.limits import cpu_cores


@dataclass(frozen=True)
class DeviceChoices:
    """What a person can choose from."""

    before: int
    """processes that trained the run"""
    problem: str
    """why so many cannot train it here; empty if they can"""
    counts: tuple[int, ...]
    """numbers of processes that can train it here, the earlier one first"""
    batch_size: int
    """images of a step, which the processes divide"""


def device_choices(path: Path) -> DeviceChoices | None:
    """Return with how many processes the run at `path` can go on; None if there is no choice.

    There is one if several trained it before, or if this machine has several GPUs. RunError or
    PresetError if its preset cannot be read.
    """
    preset = load_run_preset(path)
    before, gpus = preset.train.devices, sum(device.kind == "cuda" for device in devices())
    on_gpus = preset.train.device in ("auto", "cuda") and gpus > 1
    if preset.method.fitted or not (before > 1 or on_gpus):
        return None
    most = gpus if on_gpus else cpu_cores()
    wanted = {1, before, most, *(2**power for power in range(1, most.bit_length()))}
    fitting = [count for count in sorted(wanted) if not _problem(preset, count)]
    counts = sorted(fitting, key=lambda count: count != before)
    return DeviceChoices(before, _problem(preset, before), tuple(counts), preset.train.batch_size)


def refuse_impossible(path: Path) -> None:
    """Raise RunError if this machine cannot train the run at `path` with its processes."""
    if problem := devices_problem(load_run_preset(path)):
        raise RunError(
            f"{path.name}: train.devices: {problem}; to go on with one process: "
            f"tui-latent resume {command_word(path)} --devices 1"
        )


def _problem(preset: Preset, count: int) -> str:
    train = preset.train.model_copy(update={"devices": count})
    return devices_problem(preset.model_copy(update={"train": train}))
