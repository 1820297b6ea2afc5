"""kill -9 at random moments of a training on digits, resumed until it is finished."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.record import Row
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunSnapshot
from tui_latent.training.checkpoint import load_checkpoint

KILLS_PER_RUN = 4
_SMALL: dict[str, object] = {
    "data.per_class": 40,
    "train.batch_size": 50,
    "train.log_every": 3,
    "train.device": "cpu",
    "method.width": 4,
    "method.hidden_dim": 32,
    "method.head_dim": 16,
}
_TIMES = {"train/images_per_second"}
"""curves that depend on the clock, not on the training"""


def measure(tries: int) -> Row:
    """Kill `tries` trainings; compare weights and curves with an undisturbed run."""
    generator = random.Random(0)
    killed = wrong = 0
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        whole = new_run(Path(folder), "whole")
        started = time.monotonic()
        in_process(partial(train_run, whole))
        length = time.monotonic() - started
        runs = 0
        while killed < tries:
            path = new_run(Path(folder), f"run-{runs}")
            for _ in range(min(KILLS_PER_RUN, tries - killed)):
                if not in_process(partial(train_run, path), generator.uniform(0, length / 2)):
                    break  # it had already finished
                killed += 1
                problems += _check_killed(path)
            runs += 1
            in_process(partial(train_run, path))
            found = differences(whole, path)
            wrong += bool(found)
            problems += found
    lost = sum("lost" in problem for problem in problems)
    return Row(
        what=f"kill -9 at a random moment of training, {killed} kills in {runs} runs",
        goal="0 runs lost, 0 differing weights or curves",
        measured=f"{lost} lost, {wrong} differing",
        reached=not problems,
        numbers={"kills": killed, "runs": runs, "seconds_of_a_run": length, "problems": problems},
    )


def new_run(folder: Path, name: str) -> Path:
    """Create a run of three stages and some 400 steps that takes a few seconds."""
    preset = load_preset("digits-contrastive-2d", _SMALL)
    stages = tuple(stage.model_copy(update={"epochs": 17}) for stage in preset.stages)
    return create_run(
        "digits-contrastive-2d", preset.model_copy(update={"stages": stages}), folder, name
    )


def in_process(work: Callable[[], object], seconds: float | None = None) -> bool:
    """Work in a forked process, killed after `seconds` if given; return whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def _check_killed(path: Path) -> list[str]:
    """Return what is wrong with a run right after a kill."""
    snapshot = RunReader(path).refresh()
    problems = []
    if snapshot.status.state not in ("starting", "interrupted", "finished"):
        problems.append(f"{path.name} shows as {snapshot.status.state} after a kill")
    if (path / "checkpoints").is_dir():
        told: list[str] = []
        state = load_checkpoint(path / "checkpoints", "cpu", told.append)
        pointed = snapshot.status.checkpoint_step
        if pointed and (state is None or state["step"] < pointed):
            problems.append(f"{path.name}: the checkpoint of step {pointed} is lost")
        problems += told
    return problems


def differences(whole: Path, other: Path) -> list[str]:
    """Return how a run differs from the undisturbed one: state, weights, curves, maps."""
    first, second = RunReader(whole).refresh(), RunReader(other).refresh()
    if second.status.state != "finished":
        return [f"{other.name} is lost: {second.status.state}, {second.status.error}"]
    found = [f"{other.name}: {problem}" for problem in second.problems if "torn" in problem]
    states = [load_checkpoint(path / "checkpoints", "cpu") for path in (whole, other)]
    assert states[0] is not None and states[1] is not None
    for name, weight in states[0]["method"].items():
        if not torch.equal(weight, states[1]["method"][name]):
            found.append(f"{other.name}: {name} differs")
    return found + _curve_differences(first, second)


def _curve_differences(first: RunSnapshot, second: RunSnapshot) -> list[str]:
    found = []
    if first.map_steps != second.map_steps:
        found.append(f"{second.name}: maps at other steps")
    if first.curves.keys() != second.curves.keys():
        found.append(f"{second.name}: other curves")
        return found
    for name, curve in second.curves.items():
        other = first.curves[name]
        if not np.array_equal(curve.steps, other.steps):
            found.append(f"{second.name}: {name} has other steps")
        elif name not in _TIMES and not np.array_equal(curve.means, other.means):
            found.append(f"{second.name}: {name} has other values")
        elif not np.all(np.diff(curve.times) >= 0):
            found.append(f"{second.name}: {name} goes back in time")
    return found
