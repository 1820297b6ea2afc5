"""Whole small runs: what a person finds in the run folder afterwards."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import MakeRun
from tests.waiting import patience, until
from tui_latent.launch.start import train_run
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunBusyError, State
from tui_latent.training.checkpoint import load_checkpoint


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def weights(path: Path) -> dict[str, torch.Tensor]:
    state = load_checkpoint(path / "checkpoints", "cpu")
    assert state is not None
    return dict(state["method"])


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different


def test_a_finished_run_holds_curves_map_latents_log_and_checkpoint(make_run: MakeRun) -> None:
    path = make_run()
    status = train_run(path)
    assert (status.state, status.step, status.total_steps) == ("finished", 12, 12)
    snapshot = RunReader(path).refresh()
    assert {
        "train/loss",
        "train/info_nce",
        "val/loss",
        "val/knn_1",
        "val/knn_5",
        "val/knn_20",
    } <= set(snapshot.curves)
    assert [r["step"] for r in records(path) if "train/loss" in r] == list(range(1, 13))
    assert snapshot.map_steps == (4, 8, 12)
    assert snapshot.map is not None and snapshot.map.points.shape == (len(snapshot.map.labels), 2)
    latents = load_file(path / "latents" / "last.safetensors")
    assert latents["bank_latents"].shape == (200, 2)
    assert latents["query_latents"].shape == (len(snapshot.map.labels), 2)
    assert any("checkpoint at step 12" in line for line in snapshot.log)
    assert status.checkpoint_step == 12


def test_the_loss_is_the_weighted_sum_of_its_terms(make_run: MakeRun) -> None:
    path = make_run(method__norm_weight=0.25)
    train_run(path)
    rows = [r for r in records(path) if "train/loss" in r]
    for row in rows:
        expected = row["train/info_nce"] + 0.25 * row["train/norm"]
        assert row["train/loss"] == pytest.approx(expected, rel=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(make_run: MakeRun) -> None:
    one, same, other = make_run(), make_run(), make_run(train__seed=1)
    for path in (one, same, other):
        train_run(path)
    assert_same_weights(one, same)
    assert not all(torch.equal(weights(one)[n], weights(other)[n]) for n in weights(one))


def test_labels_change_nothing_of_an_unsupervised_run(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from tui_latent.datasets import sources
    from tui_latent.training import loading

    plain, shuffled = make_run(), make_run()
    train_run(plain)

    def mislabelled(*arguments: Any, **options: Any) -> Any:
        dataset = sources.load_dataset(*arguments, **options)
        wrong = [
            dataclasses.replace(s, labels=s.labels.roll(7), targets=s.targets.roll(7))
            for s in (dataset.train, dataset.val)
        ]
        return dataclasses.replace(dataset, train=wrong[0], val=wrong[1])

    monkeypatch.setattr(loading, "load_dataset", mislabelled)
    train_run(shuffled)
    assert_same_weights(plain, shuffled)


@pytest.mark.parametrize("fails", [False, True])
def test_images_and_weights_are_freed_as_soon_as_a_run_has_ended(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    from tui_latent.training.run import TrainingRun

    import_module("torch._dynamo")  # the first optimiser imports it, and its errors keep frames
    held: list[weakref.ref[torch.Tensor]] = []
    train = TrainingRun.train

    def noted(self: TrainingRun) -> State:
        held.append(weakref.ref(self.loop.dataset.train.images))
        held.extend(weakref.ref(parameter) for parameter in self.loop.method.parameters())
        if fails:
            del self.loop.sampler
        return train(self)

    monkeypatch.setattr(TrainingRun, "train", noted)
    gc.disable()
    try:
        assert train_run(make_run()).state == ("failed" if fails else "finished")
        assert len(held) > 1
        assert [reference() for reference in held if reference() is not None] == []
    finally:
        gc.enable()


@pytest.mark.parametrize("stop_after", [1, 5, 8])
def test_a_stopped_run_resumes_to_the_very_same_weights(
    make_run: MakeRun, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = make_run(), make_run()
    train_run(whole)
    stop_at(monkeypatch, broken, stop_after)
    assert train_run(broken).state == "stopped"
    monkeypatch.undo()
    status = train_run(broken)
    assert (status.state, status.step) == ("finished", 12)
    assert_same_weights(whole, broken)
    loss = [[r["train/loss"] for r in records(p) if "train/loss" in r] for p in (whole, broken)]
    assert loss[0] == loss[1]


def stop_at(monkeypatch: pytest.MonkeyPatch, path: Path, step: int) -> None:
    """Ask the run to stop once it has done `step` updates, and let it notice at once."""
    from tui_latent.training import run_control as control
    from tui_latent.training.loop import TrainingLoop

    monkeypatch.setattr(control, "POLL_EVERY", 0.0)
    train_step = TrainingLoop.step

    def step_then_ask(self: TrainingLoop) -> dict[str, torch.Tensor]:
        terms = train_step(self)
        if self.done == step:
            request(path, state="stop")
        return terms

    monkeypatch.setattr(TrainingLoop, "step", step_then_ask)


def stopped(monkeypatch: pytest.MonkeyPatch, path: Path, step: int) -> Path:
    """Train a run until it has done `step` updates, and return it."""
    with monkeypatch.context() as patch:
        stop_at(patch, path, step)
        assert train_run(path).state == "stopped"
    return path


def test_stages_resume_to_the_very_same_weights(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def staged() -> Path:
        path = make_run()
        text = (path / "preset.toml").read_text().replace("stages = []\n", "")
        stages = "".join(
            f'[[stages]]\nepochs = 1\nlatent_dim = {dim}\nlr = 0.01\ntrainable = "{what}"\n'
            for dim, what in ((8, "all"), (2, "latent layer"), (2, "all"))
        )
        (path / "preset.toml").write_text(f"{text}\n{stages}")
        return path

    whole = staged()
    assert train_run(whole).state == "finished"
    for step in (2, 4, 6, 9):
        broken = staged()
        stop_at(monkeypatch, broken, step)
        assert train_run(broken).state == "stopped"
        monkeypatch.undo()
        assert train_run(broken).state == "finished"
        assert_same_weights(whole, broken)


@pytest.mark.slow
def test_a_killed_process_resumes_to_the_very_same_weights(make_run: MakeRun) -> None:
    whole, killed = make_run(train__epochs=100), make_run(train__epochs=100)
    program = (
        "import sys; from pathlib import Path; from tui_latent.launch.start import train_run; "
    )
    program += "train_run(Path(sys.argv[1]))"
    process = subprocess.Popen([sys.executable, "-c", program, str(killed)])
    reader = RunReader(killed)
    until(lambda: (reader.refresh().status.checkpoint_step or 0) >= 12)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert RunReader(killed).refresh().status.state == "interrupted"
    assert train_run(killed).state == "finished"
    train_run(whole)
    assert_same_weights(whole, killed)
    curve = RunReader(killed).refresh().curves["train/loss"]
    assert np.all(np.diff(curve.steps) > 0)


def paused(path: Path) -> tuple[threading.Thread, RunReader]:
    """Train a run in a thread, and pause it after its first step."""
    worker = threading.Thread(target=train_run, args=(path,))
    worker.start()
    reader = RunReader(path)
    until(lambda: reader.refresh().status.step > 0)
    request(path, state="pause")
    until(lambda: reader.refresh().status.state == "paused")
    return worker, reader


def test_pause_holds_and_resume_goes_on(make_run: MakeRun) -> None:
    path = make_run(train__epochs=400)
    worker, reader = paused(path)
    lines = len(records(path))
    request(path, checkpoint=True)
    until(lambda: any("checkpoint at" in line for line in reader.refresh().log))
    time.sleep(0.3)
    assert len(records(path)) <= lines + 1
    request(path, state="run")
    until(lambda: reader.refresh().status.state == "running")
    request(path, state="stop")
    worker.join(patience())
    assert reader.refresh().status.state == "stopped"


def test_a_second_trainer_is_refused_and_changes_nothing_of_the_first(make_run: MakeRun) -> None:
    path = make_run(train__epochs=400)
    worker, reader = paused(path)
    with pytest.raises(RunBusyError, match=f"process {os.getpid()} .*stop it first"):
        train_run(path)
    time.sleep(0.3)
    assert reader.refresh().status.state == "paused"
    request(path, state="stop")
    worker.join(patience())


def test_a_loss_that_is_not_finite_fails_the_run_and_keeps_the_good_checkpoint(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.methods.contrastive import Contrastive

    losses = Contrastive.losses
    calls = 0

    def poisoned(self: Contrastive, batch: Any) -> dict[str, torch.Tensor]:
        nonlocal calls
        calls += self.training
        terms = losses(self, batch)
        return {n: t * float("nan") for n, t in terms.items()} if calls == 7 else terms

    monkeypatch.setattr(Contrastive, "losses", poisoned)
    path = make_run(train__log_every=4)
    status = train_run(path)
    assert status.state == "failed"
    assert status.error is not None and "info_nce" in status.error and "step 7" in status.error
    assert status.checkpoint_step == 4
    assert all(value.isfinite().all() for value in weights(path).values())


def test_an_unforeseen_error_fails_the_run_with_its_traceback_in_the_log_only(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from tui_latent.training.loop import TrainingLoop

    def broken(self: TrainingLoop) -> dict[str, torch.Tensor]:
        print("a stray line")  # noqa: T201
        raise ZeroDivisionError("all is lost")

    monkeypatch.setattr(TrainingLoop, "step", broken)
    path = make_run()
    status = train_run(path)
    assert status.state == "failed"
    assert status.error is not None and "all is lost" in status.error
    log = (path / "train.log").read_text()
    assert "Traceback" in log and "a stray line" in log
    output = capfd.readouterr()
    assert "stray" not in output.out + output.err


def test_patience_ends_a_run_that_no_longer_improves(make_run: MakeRun) -> None:
    path = make_run(train__epochs=50, train__lr=1e-12, train__patience=8)
    status = train_run(path)
    assert status.state == "finished"
    assert status.step < 200
    assert any("stopped early" in line for line in RunReader(path).refresh().log)
