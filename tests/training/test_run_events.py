"""What a run that was really trained says has happened to it."""

from __future__ import annotations

import errno
import os
import re
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import SMALL, MakeRun
from tests.training.test_session import assert_same_weights, stopped
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.control import request
from tui_latent.runs.events import RunEvent, read_events
from tui_latent.training import retrying_writes as disk
from tui_latent.training import run_control as control
from tui_latent.training.evaluator import Evaluation, Evaluator
from tui_latent.training.loop import TrainingLoop


def ask_at(monkeypatch: pytest.MonkeyPatch, path: Path, asked: dict[int, dict[str, Any]]) -> None:
    """Request something of the run at `path` before the steps that `asked` names."""
    monkeypatch.setattr(control, "POLL_EVERY", 0.0)
    poll = control.RunControl.poll
    waiting = dict(asked)

    def asking(self: control.RunControl) -> None:
        done = self._writer.status().step
        if self._path == path and self._may_save and done in waiting:
            request(path, **waiting.pop(done))
        poll(self)

    monkeypatch.setattr(control.RunControl, "poll", asking)


def kill_at(monkeypatch: pytest.MonkeyPatch, path: Path, step: int) -> None:
    """End the training at `path` before a step as ctrl-C in a script does: nothing is saved."""
    real = TrainingLoop.step

    def killed(self: TrainingLoop) -> dict[str, torch.Tensor]:
        if self.done == step:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(TrainingLoop, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        train_run(path)


def brief(path: Path) -> list[tuple[int, str]]:
    return [(event.step, event.kind) for event in read_events(path)]


def of_kind(path: Path, kind: str) -> list[RunEvent]:
    return [event for event in read_events(path) if event.kind == kind]


def staged(tmp_path: Path) -> Path:
    stages = [
        {"epochs": 1, "latent_dim": 8, "lr": 1e-3},
        {"epochs": 1, "latent_dim": 2, "lr": 1e-3, "trainable": "latent layer"},
        {"epochs": 1, "latent_dim": 2, "lr": 1e-4, "title": "fine-tuning"},
    ]
    settings = {name: value for name, value in SMALL.items() if name != "train.epochs"}
    preset = load_preset("digits-contrastive-2d", settings | {"stages": stages})
    return create_run("digits-contrastive-2d", preset, tmp_path / "runs")


def test_a_plain_run_has_no_events(make_run: MakeRun) -> None:
    path = make_run()
    train_run(path)
    assert brief(path) == []


def test_each_stage_after_the_first_is_an_event_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = staged(tmp_path)
    stopped(monkeypatch, path, 4)  # at the very end of the first stage
    kill_at(monkeypatch, path, 6)  # in the second, whose beginning is trained again
    monkeypatch.undo()
    train_run(path)
    assert [(e.step, e.text) for e in of_kind(path, "stage")] == [
        (4, "Stage 2 of 3 began: 2-D, latent layer."),
        (8, "Stage 3 of 3 began: fine-tuning."),
    ]


def test_a_resume_is_an_event_with_its_time(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, make_run(), 6)
    train_run(path)
    assert brief(path) == [(6, "resume")]
    when = datetime.fromisoformat(read_events(path)[0].time)
    assert abs((datetime.now().astimezone() - when).total_seconds()) < 3600


def test_a_run_that_starts_again_without_a_checkpoint_says_so(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    kill_at(monkeypatch, path, 2)
    monkeypatch.undo()
    train_run(path)
    assert brief(path) == [(0, "resume")]
    assert "there was no checkpoint" in read_events(path)[0].text


def test_a_collapse_is_an_event_at_its_evaluation(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__epochs=10)
    evaluate = Evaluator.evaluate

    def collapsed(self: Evaluator, *arguments: Any) -> Evaluation:
        evaluation = evaluate(self, *arguments)
        evaluation.metrics["latent/collapsed"] = 1.0
        return evaluation

    monkeypatch.setattr(Evaluator, "evaluate", collapsed)
    train_run(path)
    assert brief(path) == [(32, "collapse")]  # the first after 30 steps


def test_a_wait_for_the_disk_is_an_event(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    monkeypatch.setattr(disk, "TRY_EVERY", 0.05)
    real, refused = os.write, 0

    def full(descriptor: int, data: bytes) -> int:
        nonlocal refused
        if b'"step":5,' in data and refused < 2:
            refused += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    assert train_run(path).state == "finished"
    (event,) = of_kind(path, "disk")
    assert event.step in (4, 5)
    assert re.fullmatch(r"Waited \d+ s for the disk: No space left on device\.", event.text)


def test_a_change_of_the_rate_is_an_event_with_both_rates_and_who(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__lr=1e-3, train__schedule="constant", train__warmup_epochs=0)
    ask_at(monkeypatch, path, {6: {"lr_factor": 0.5}})
    train_run(path)
    (event,) = of_kind(path, "rate")
    assert (event.step, event.setting, event.old, event.new) == (6, "lr_factor", 1.0, 0.5)
    assert event.text == "Learning rate 0.001 → 0.0005, 0.5 times the schedule's."
    assert event.who is not None and event.who.endswith(f"@{socket.gethostname()}")


@pytest.mark.parametrize("killed_at", [6, 7, 10])
def test_a_run_that_was_killed_has_its_rates_at_the_same_steps_as_one_that_was_not(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    whole, broken = make_run(), make_run()
    asked: dict[int, dict[str, Any]] = {2: {"lr_factor": 3.0}, 6: {"lr_factor": 0.2}}
    ask_at(monkeypatch, whole, asked)
    train_run(whole)
    monkeypatch.undo()
    ask_at(monkeypatch, broken, asked)
    kill_at(monkeypatch, broken, killed_at)  # the newest checkpoint is of step 4 or 8
    monkeypatch.undo()
    train_run(broken)
    assert_same_weights(whole, broken)
    assert [(e.step, e.new) for e in of_kind(broken, "rate")] == [(2, 3.0), (6, 0.2)]
