"""New runs that start from a checkpoint of another, really trained on a few digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.conftest import MakeRun, make_run
from tests.training.test_live_settings import train_with
from tests.training.test_run_events import staged
from tests.training.test_session import assert_same_weights, stopped, weights
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_run_preset
from tui_latent.launch.fork import fork_run
from tui_latent.launch.start import train_run
from tui_latent.launch.tune import checkpoint_steps
from tui_latent.runs.control import request
from tui_latent.runs.events import read_events
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError

__all__ = ["make_run"]


def test_a_fork_without_changes_ends_as_its_run_does(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, make_run(), 6)
    fork = fork_run(path, path.parent, name="fork")
    train_run(path)
    train_run(fork)
    assert_same_weights(path, fork)
    one, other = (RunReader(p).refresh() for p in (path, fork))
    np.testing.assert_array_equal(one.curves["train/loss"].means, other.curves["train/loss"].means)
    assert one.map_steps == other.map_steps


def test_a_fork_has_the_records_up_to_its_checkpoint_and_says_where_it_comes_from(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, make_run(), 10)
    assert checkpoint_steps(path)[-2:] == (8, 10)  # the newest two; the best may be an earlier one
    fork = fork_run(path, path.parent, 8, {"train.lr": 0.125, "train.epochs": 4}, "fork")
    snapshot = RunReader(fork).refresh()
    assert snapshot.curves["train/loss"].steps.tolist() == list(range(1, 9))
    assert snapshot.map_steps == (4, 8)
    origin = {"run": path.name, "path": str(path.absolute()), "step": 8}
    assert snapshot.provenance["forked_from"] == origin
    assert snapshot.provenance["command"] == (
        f"tui-latent fork {path.absolute()} --step 8 --set train.lr=0.125 --set train.epochs=4"
    )
    (event,) = snapshot.events
    assert (event.kind, event.step) == ("fork", 8)
    assert event.text == (f"Forked from {path.name}: train.epochs 3 → 4, train.lr 0.001 → 0.125.")
    status = train_run(fork)
    assert (status.state, status.step) == ("finished", 16)
    assert RunReader(path).refresh().status.step == 10
    rates = RunReader(fork).refresh().curves["train/lr"]
    assert rates.means[rates.steps == 9] > 0.01


def test_a_fork_begins_with_the_settings_that_the_run_had_at_the_checkpoint(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = train_with(
        monkeypatch,
        make_run(),
        {
            2: {"settings": {"augment.noise": 0.25}, "lr_factor": 0.5},
            10: {"settings": {"augment.noise": 0.5}},
        },
    )
    fork = fork_run(path, path.parent, 8, {"train.epochs": 4}, "fork")
    assert load_run_preset(fork).augment.noise == 0.25
    kinds = [(e.step, e.kind, e.new) for e in read_events(fork)]
    assert kinds == [(2, "rate", None), (2, "change", None), (8, "fork", None), (8, "rate", 0.5)]
    assert train_run(fork).lr_factor == 0.5


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data.per_class": 10}, "fixed by the checkpoint"),
        ({"train.batch_size": 25}, "fixed by the checkpoint"),
        ({"train.seed": 3}, "fixed by the checkpoint"),
        ({"train.epochs": 1}, "Raise train.epochs, or choose an earlier step"),
        ({"train.lr": -1.0}, "greater than 0"),
        ({"stages.0.lr": 1.0}, "no stages"),
        ({"method.width": 8}, "other weights than those in the checkpoint"),
        ({"method.latent_dim": 3}, "other weights than those in the checkpoint"),
    ],
)
def test_what_a_checkpoint_fixes_is_refused_and_no_run_is_made(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], sentence: str
) -> None:
    path = stopped(monkeypatch, make_run(), 8)
    before = sorted(path.parent.iterdir())
    with pytest.raises((PresetError, RunError), match=sentence):
        fork_run(path, path.parent, overrides=changes)
    assert sorted(path.parent.iterdir()) == before


def test_settings_of_the_loss_that_change_no_weight_can_be_changed(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, make_run(), 8)
    fork = fork_run(path, path.parent, overrides={"method.decoupled": True}, name="fork")
    assert train_run(fork).state == "finished"
    train_run(path)
    assert any((weights(path)[name] != weights(fork)[name]).any() for name in weights(path))


def test_later_stages_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stopped(monkeypatch, staged(tmp_path), 6)
    with pytest.raises(PresetError, match="stage 1 is over"):
        fork_run(path, path.parent, overrides={"stages.0.lr": 0.5})
    with pytest.raises(PresetError, match="stage 2 has begun"):
        fork_run(path, path.parent, overrides={"stages.1.trainable": "all"})
    fork = fork_run(path, path.parent, overrides={"stages.2.epochs": 3}, name="fork")
    assert train_run(fork).step == 20


def test_a_setting_of_all_stages_leaves_those_that_are_over_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, staged(tmp_path), 6)
    over, *_ = load_run_preset(path).stages
    fork = fork_run(path, path.parent, None, {"stages.2.lr": 0.25, "stages.*.lr": 0.5})
    assert [stage.lr for stage in load_run_preset(fork).stages] == [over.lr, 0.5, 0.25]


def test_a_missing_checkpoint_is_an_error_that_lists_the_others(make_run: MakeRun) -> None:
    path = make_run()
    with pytest.raises(RunError, match="no checkpoint yet"):
        fork_run(path, path.parent)
    train_run(path)
    with pytest.raises(RunError, match="no checkpoint of step 5, only of"):
        fork_run(path, path.parent, 5)


def test_a_fork_and_its_run_leave_each_other_alone(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fork shares files with its run by hard links, and drops or replaces them in training."""
    path = stopped(monkeypatch, make_run(), 8)
    fork = fork_run(path, path.parent, name="fork")
    request(path, state="stop")
    files = sorted(file for file in path.rglob("*") if file.is_file())
    before = [file.read_bytes() for file in files]
    assert train_run(fork).state == "finished"
    assert [file.read_bytes() for file in files] == before
