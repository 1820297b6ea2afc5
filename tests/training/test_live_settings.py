"""Settings that are changed while a run trains, on runs that are really trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.conftest import MakeRun
from tests.training.test_run_events import ask_at, kill_at, of_kind, staged
from tests.training.test_session import assert_same_weights, stop_at, stopped, weights
from tui_latent.launch.start import train_run
from tui_latent.launch.tune import (
    checkpoint_before,
    checkpoint_steps,
    last_change,
    read_desk,
    undo,
)
from tui_latent.runs.control import request
from tui_latent.runs.events import read_events
from tui_latent.runs.reader import RunReader
from tui_latent.training.acceleration import Accelerator
from tui_latent.training.best_checkpoint import BestLoss

Asked = dict[int, dict[str, Any]]
CHANGES: Asked = {
    2: {"settings": {"train.lr": 0.02, "augment.rotate": 45.0}},
    5: {"settings": {"method.norm_weight": 0.5}, "lr_factor": 0.5},
    9: {"settings": {"augment.noise": 0.1, "augment.rotate": 0.0}},
}


def train_with(monkeypatch: pytest.MonkeyPatch, path: Path, asked: Asked) -> Path:
    with monkeypatch.context() as patch:
        ask_at(patch, path, asked)
        assert train_run(path).state == "finished"
    return path


def test_a_rate_applies_from_the_next_step_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__lr=1e-3, train__schedule="constant", train__warmup_epochs=0)
    train_with(monkeypatch, path, {6: {"settings": {"train.lr": 0.25}}})
    rates = RunReader(path).refresh().curves["train/lr"]
    np.testing.assert_allclose(rates.means[rates.steps <= 6], 1e-3)
    np.testing.assert_allclose(rates.means[rates.steps > 6], 0.25)
    (event,) = of_kind(path, "rate")
    assert (event.step, event.setting, event.old, event.new) == (6, "train.lr", 0.001, 0.25)
    assert event.text == "train.lr 0.001 → 0.25."


def test_a_weight_counts_in_the_sum_from_the_next_step_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(method__norm_weight=0.25)
    train_with(monkeypatch, path, {6: {"settings": {"method.norm_weight": 2.0}}})
    curves = RunReader(path).refresh().curves
    loss, info_nce, norm = (curves[f"train/{name}"].means for name in ("loss", "info_nce", "norm"))
    weight = np.where(curves["train/loss"].steps <= 6, 0.25, 2.0)
    np.testing.assert_allclose(loss, info_nce + weight * norm, rtol=1e-5)


def test_an_augmentation_changes_what_the_network_sees(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, turned = make_run(), make_run()
    train_run(plain)
    train_with(monkeypatch, turned, {6: {"settings": {"augment.rotate": 170.0}}})
    first, second = (RunReader(p).refresh().curves["train/loss"] for p in (plain, turned))
    same = first.means == second.means
    assert same[first.steps <= 6].all()
    assert not same[first.steps > 6].any()


@pytest.mark.parametrize("killed_at", [3, 6, 7, 11])
def test_a_run_that_was_killed_ends_as_one_that_was_not_bit_for_bit(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    whole = train_with(monkeypatch, make_run(), CHANGES)
    broken = make_run()
    with monkeypatch.context() as patch:
        ask_at(patch, broken, CHANGES)
        kill_at(patch, broken, killed_at)  # the newest checkpoint is of step 0, 4 or 8
    train_with(monkeypatch, broken, {k: v for k, v in CHANGES.items() if k >= killed_at})
    assert_same_weights(whole, broken)
    plain = make_run()
    train_run(plain)
    different = [n for n, w in weights(whole).items() if not torch.equal(w, weights(plain)[n])]
    assert different
    made = [(e.step, e.setting, e.new) for e in read_events(broken) if e.sets]
    assert sorted(made) == sorted((e.step, e.setting, e.new) for e in read_events(whole) if e.sets)


def test_the_rate_of_a_later_stage_applies_when_the_stage_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = staged(tmp_path)
    train_with(monkeypatch, path, {6: {"settings": {"stages.2.lr": 0.125}}})
    rates = RunReader(path).refresh().curves["train/lr"]
    assert rates.means[rates.steps == 9] == 0.125
    assert not (rates.means[rates.steps <= 8] == 0.125).any()


def test_a_change_requested_between_trainings_applies_from_the_resume_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, make_run(), 6)
    request(path, settings={"train.lr": 0.125})
    desk = read_desk(path)
    assert desk.now.train.lr == 0.125 and desk.waiting == {"train.lr"}
    train_run(path)
    assert [(e.step, e.kind) for e in read_events(path)] == [(6, "resume"), (6, "rate")]
    assert read_desk(path).waiting == frozenset()


@pytest.mark.parametrize("wanted", [("method.width", 8), ("train.lr", -1.0), ("no.such", 1.0)])
def test_an_impossible_request_is_logged_and_changes_nothing(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, wanted: tuple[str, float]
) -> None:
    plain, path = make_run(), make_run()
    train_run(plain)
    train_with(monkeypatch, path, {6: {"settings": dict([wanted])}})
    assert wanted[0] in "\n".join(RunReader(path).refresh().log)
    assert read_events(path) == ()
    assert_same_weights(plain, path)


def test_undoing_a_change_by_value_keeps_the_steps_trained_with_it(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__lr=1e-3, train__schedule="constant", train__warmup_epochs=0)
    with monkeypatch.context() as patch:
        ask_at(patch, path, {6: {"settings": {"train.lr": 0.25}}, 8: {"lr_factor": 2.0}})
        kill_at(patch, path, 9)
    for setting, old in (("lr_factor", 1.0), ("train.lr", 0.001)):
        change = last_change(path)
        assert change is not None and (change.setting, change.old) == (setting, old)
        undo(path, change)
        with monkeypatch.context() as patch:
            stop_at(patch, path, 10 if setting == "lr_factor" else 11)
            train_run(path)
    assert last_change(path) is None
    rates = RunReader(path).refresh().curves["train/lr"]
    np.testing.assert_allclose(rates.means[6:], [0.25, 0.25, 0.25, 0.25, 0.001])


def test_undoing_a_change_back_to_a_checkpoint_leaves_no_trace_of_it(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, path = make_run(), make_run()
    train_run(whole)
    asked: Asked = {
        6: {"settings": {"train.lr": 0.25}},
        7: {"settings": {"augment.noise": 0.5}},
        10: {"back": (4, "train.lr", read_desk(path).now.train.lr)},
    }
    train_with(monkeypatch, path, asked)
    assert_same_weights(whole, path)
    events = read_events(path)
    assert [(e.step, e.kind, e.setting) for e in events] == [(4, "retry", "train.lr")]
    assert events[0].text == "Went back from step 10: train.lr is 0.001 again."
    one, other = (RunReader(p).refresh() for p in (whole, path))
    np.testing.assert_array_equal(one.curves["train/loss"].means, other.curves["train/loss"].means)
    assert last_change(path) is None


def test_going_back_to_a_missing_checkpoint_still_restores_the_old_value(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__lr=1e-3)
    asked: Asked = {
        6: {"settings": {"train.lr": 0.25}},
        10: {"back": (3, "train.lr", 1e-3)},
    }
    train_with(monkeypatch, path, asked)
    assert "there is no checkpoint of step 3" in "\n".join(RunReader(path).refresh().log)
    assert [(e.step, e.new) for e in of_kind(path, "rate")] == [(6, 0.25), (10, 0.001)]


def test_a_best_loss_does_not_outlast_a_change_of_the_weights(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(method__norm_weight=0.01)
    train_with(monkeypatch, path, {6: {"settings": {"method.norm_weight": 50.0}}})
    snapshot = RunReader(path).refresh()
    curve = snapshot.curves["val/loss"]
    assert curve.means[0] == curve.means.min()  # the first, by the small weight
    best = (path / "checkpoints" / "last.json").read_text().partition('"best": "')[2][:16]
    assert best in ("step-000000008.p", "step-000000012.p")


def test_only_best_losses_up_to_a_change_are_forgotten() -> None:
    best = BestLoss()
    best.judge(8, 1.0)
    best.forget_until(7)
    assert best.step == 8
    best.forget_until(8)
    assert best.step == 0
    best.judge(12, 2.0)
    assert (best.step, best.loss) == (12, 2.0)


def test_a_graph_is_renewed_for_weights_and_augmentations_and_not_for_a_rate(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = []
    monkeypatch.setattr(Accelerator, "renew", lambda self: renewed.append(self))
    path = make_run()
    train_with(monkeypatch, path, {3: {"settings": {"train.lr": 0.1}, "lr_factor": 2.0}})
    assert renewed == []
    path = make_run()
    train_with(monkeypatch, path, {3: {"settings": {"augment.noise": 0.1}}})
    assert len(renewed) == 1


def test_checkpoints_are_listed_by_step(make_run: MakeRun) -> None:
    path = make_run()
    assert checkpoint_steps(path) == ()
    train_run(path)
    steps = checkpoint_steps(path)
    assert steps[-2:] == (8, 12)
    assert checkpoint_before(path, 11) == 8
    assert checkpoint_before(path, 0) is None
