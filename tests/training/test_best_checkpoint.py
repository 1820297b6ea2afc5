"""Patience: nothing is decided between two evaluations."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import MakeRun
from tests.training.test_session import stop_at
from tui_latent.launch.start import train_run
from tui_latent.runs.reader import RunReader
from tui_latent.training.best_checkpoint import BestLoss
from tui_latent.training.evaluator import Evaluator


def with_losses(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    """Let the evaluations of all runs find these held-out losses, one after the other."""
    left = iter(losses)
    real = Evaluator._losses

    def measured(self: Evaluator, method: Any) -> dict[str, float]:
        return real(self, method) | {"val/loss": next(left)}

    monkeypatch.setattr(Evaluator, "_losses", measured)


def best_of(path: Path) -> str | None:
    best: str | None = json.loads((path / "checkpoints" / "last.json").read_text()).get("best")
    return best


@pytest.mark.parametrize(
    ("losses", "patience", "stops_at"),
    [
        ([1.0, 2.0, 3.0, 4.0, 5.0], 1, 16),  # evaluations at 8, 16, 24, …
        ([1.0, 2.0, 3.0, 4.0, 5.0], 9, 24),
        ([1.0, 2.0, 0.5, 4.0, 5.0], 16, 40),
        ([5.0, 4.0, 3.0, 2.0, 1.0], 1, 40),
        ([1.0, 1.0, 1.0, 1.0, 1.0], 8, 16),  # no better is not better
    ],
)
def test_a_run_ends_at_the_evaluation_that_exhausts_its_patience(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    losses: list[float],
    patience: int,
    stops_at: int,
) -> None:
    with_losses(monkeypatch, losses)
    path = make_run(train__epochs=10, train__eval_every=2, train__patience=patience)
    status = train_run(path)
    assert (status.state, status.step) == ("finished", stops_at)
    early = [line for line in RunReader(path).refresh().log if "stopped early" in line]
    assert len(early) == (stops_at < 40)
    assert best_of(path) == f"step-{8 * (losses.index(min(losses)) + 1):09d}.pt"


def test_a_resumed_run_decides_nothing_before_its_next_evaluation(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__epochs=10, train__eval_every=2, train__patience=2)
    with_losses(monkeypatch, [1.0, 0.5, 0.6])
    stop_at(monkeypatch, path, 13)
    assert train_run(path).state == "stopped"
    status = train_run(path)
    assert (status.state, status.step) == ("finished", 24)
    assert best_of(path) == "step-000000016.pt"


def test_a_run_stopped_before_its_first_evaluation_has_no_best(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__epochs=10, train__eval_every=5, train__patience=1)
    stop_at(monkeypatch, path, 3)
    assert train_run(path).state == "stopped"
    assert best_of(path) is None


def test_an_evaluation_without_a_loss_is_not_a_finding() -> None:
    best = BestLoss()
    best.judge(10, 1.0)
    for loss in (None, math.nan, math.inf):
        best.judge(20, loss)
        assert not best.exhausts(5, 20)
    best.judge(30, 1.5)
    assert best.exhausts(20, 30)
    assert not best.exhausts(20, 31), "between two evaluations nothing is known"
    assert not best.exhausts(21, 30)
    assert not best.exhausts(0, 30)


def test_what_a_checkpoint_keeps_goes_on_and_an_older_one_too() -> None:
    best, again = BestLoss(), BestLoss()
    best.judge(10, 1.0)
    best.judge(20, 2.0)
    again.load_state(best.state() | {"evaluated_step": 20})
    assert (again.loss, again.step, again.exhausts(10, 20)) == (1.0, 10, True)
    older = BestLoss()
    older.load_state({"best_loss": 1.0, "best_step": 10, "evaluated_step": 20})
    assert older.exhausts(10, 20)
