"""A run whose latents collapse: real weights, all pulled to 0."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.training.conftest import MakeRun
from tests.waiting import patience, until
from tui_latent.launch.start import train_run
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader

COLLAPSING: dict[str, Any] = {
    "train__weight_decay": 1e4,  # times the rate: each step takes the weights to 0
    "train__lr": 1e-4,
    "train__warmup_epochs": 0.0,
    "train__schedule": "constant",
    "train__epochs": 30,
    "train__eval_every": 5,
}
"""evaluations at steps 20, 40, …, 120"""


def test_a_collapse_is_recorded_and_logged_once_and_training_goes_on(make_run: MakeRun) -> None:
    path = make_run(**COLLAPSING)
    assert train_run(path).state == "finished"
    snapshot = RunReader(path).refresh()
    collapsed = snapshot.curves["latent/collapsed"]
    assert collapsed.steps.tolist() == [40, 60, 80, 100, 120], "a young network is left alone"
    assert collapsed.means.tolist() == [1] * 5
    assert sum("step 40: The latents have collapsed." in line for line in snapshot.log) == 1
    assert sum("collapsed" in line for line in snapshot.log) == 1
    assert not any("pausing" in line for line in snapshot.log)


def test_a_healthy_run_has_not_collapsed(make_run: MakeRun) -> None:
    path = make_run(train__pause_on_collapse=True, train__epochs=12, train__eval_every=4)
    assert train_run(path).state == "finished"
    assert RunReader(path).refresh().curves["latent/collapsed"].means.tolist() == [0, 0]


def test_where_asked_the_run_pauses_at_that_evaluation_and_goes_on_when_told(
    make_run: MakeRun,
) -> None:
    path = make_run(**COLLAPSING, train__pause_on_collapse=True)
    worker = threading.Thread(target=train_run, args=(path,))
    worker.start()
    reader = RunReader(path)
    until(lambda: reader.refresh().status.state == "paused")
    assert reader.refresh().status.step == 40
    told = "step 40: The latents have collapsed: pausing, because train.pause_on_collapse is set."
    assert any(told in line for line in reader.refresh().log)
    request(path, state="run")
    worker.join(patience())
    assert reader.refresh().status.state == "finished"


def test_a_stop_is_not_turned_into_a_pause(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.training.hooks import CollapseWatch

    path = make_run(**COLLAPSING, train__pause_on_collapse=True)
    on_evaluation = CollapseWatch.on_evaluation

    def ask_first(self: CollapseWatch, evaluation: Any) -> None:
        request(path, state="stop")
        on_evaluation(self, evaluation)

    monkeypatch.setattr(CollapseWatch, "on_evaluation", ask_first)
    assert train_run(path).state == "stopped"
