"""A failed run that is tried again from its last good checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.conftest import MakeRun, make_run
from tests.training.test_run_events import ask_at
from tui_latent.launch.retry import prepare_retry
from tui_latent.launch.start import train_run
from tui_latent.runs.control import request
from tui_latent.runs.events import read_events
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError
from tui_latent.training.loop import TrainingLoop

__all__ = ["make_run"]


def failing(monkeypatch: pytest.MonkeyPatch, at: int, above: float = 0.75) -> None:
    """Make the loss of a step NaN where the rate is too high."""
    step = TrainingLoop.step

    def poisoned(self: TrainingLoop) -> dict[str, torch.Tensor]:
        terms = step(self)
        bad = self.done == at and self.lr_factor > above
        return {name: term * float("nan") for name, term in terms.items()} if bad else terms

    monkeypatch.setattr(TrainingLoop, "step", poisoned)


def test_a_failed_run_goes_on_from_its_checkpoint_at_half_the_rate(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__schedule="constant", train__warmup_epochs=0, train__lr=1e-3)
    failing(monkeypatch, 7)
    assert train_run(path).state == "failed"
    assert prepare_retry(path) == 4
    status = train_run(path)
    assert (status.state, status.lr_factor, status.error) == ("finished", 0.5, None)
    (event,) = read_events(path)
    assert (event.step, event.kind, event.new) == (4, "retry", 0.5)
    assert event.text == "Tried again after the failure, at 0.5 times the schedule's rate."
    rates = RunReader(path).refresh().curves["train/lr"]
    np.testing.assert_allclose(rates.means, [1e-3] * 4 + [5e-4] * 8)


def test_the_changes_that_led_to_a_failure_are_not_made_again(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    failing(monkeypatch, 7, above=1.5)
    with monkeypatch.context() as patch:
        asked: dict[int, dict[str, Any]] = {
            5: {"lr_factor": 4.0, "settings": {"augment.noise": 0.5}}
        }
        ask_at(patch, path, asked)
        assert train_run(path).state == "failed"
    prepare_retry(path)
    status = train_run(path)
    assert (status.state, status.lr_factor) == ("finished", 0.5)
    assert [(e.step, e.kind, e.setting) for e in read_events(path)] == [(4, "retry", "lr_factor")]


def test_a_checkpoint_whose_weights_are_not_finite_is_passed_over(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    failing(monkeypatch, 11)
    train_run(path)
    newest = path / "checkpoints" / "step-000000008.pt"
    state = torch.load(newest, weights_only=True)
    name = next(n for n, t in state["method"].items() if t.is_floating_point())
    state["method"][name].view(-1)[0] = float("nan")
    torch.save(state, newest)
    (path / "checkpoints" / "last.json").unlink()
    assert prepare_retry(path) == 4
    assert train_run(path).state == "finished"


def test_without_a_checkpoint_a_run_is_tried_again_from_its_beginning(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    failing(monkeypatch, 2)
    assert train_run(path).state == "failed"
    assert prepare_retry(path) == 0
    assert train_run(path).state == "finished"
    assert [(e.step, e.kind) for e in read_events(path)] == [(0, "retry")]


def test_without_a_good_checkpoint_the_error_says_what_to_do(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    failing(monkeypatch, 7)
    train_run(path)
    for file in (path / "checkpoints").glob("step-*.pt"):
        file.write_bytes(b"")
    with pytest.raises(RunError, match="start a new run"):
        prepare_retry(path)


def test_a_finished_run_is_not_tried_again(make_run: MakeRun) -> None:
    path = make_run()
    train_run(path)
    with pytest.raises(RunError, match="is finished"):
        prepare_retry(path)


def test_a_second_retry_halves_the_rate_again(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path: Path = make_run()
    failing(monkeypatch, 7, above=0.3)
    for factor in (0.5, 0.25):
        assert train_run(path).state == "failed"
        prepare_retry(path)
        assert request(path, checkpoint=True).lr_factor == factor
    assert train_run(path).state == "finished"
