"""What a run that was interrupted, stopped or in trouble has when it goes on."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.conftest import MakeRun
from tests.training.test_session import assert_same_weights, stop_at, stopped
from tests.waiting import until
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.methods.eigenmaps import Eigenmaps
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader
from tui_latent.training import loading, recorder
from tui_latent.training import retrying_writes as disk
from tui_latent.training import run_control as control
from tui_latent.training.checkpoint import Saved, save_checkpoint
from tui_latent.training.evaluator import Evaluator
from tui_latent.training.loop import TrainingLoop

CLOCKS = {"train/images_per_second"}
"""curves that tell of the time a run took"""
OF_SLOW_RUNS = {"train/screen_share"}
"""curves that begin after 2 s, where another test of this process had a screen"""


def assert_same_curves(one: Path, other: Path) -> None:
    first, second = RunReader(one).refresh(), RunReader(other).refresh()
    assert first.map_steps == second.map_steps
    names = first.curves.keys() - OF_SLOW_RUNS
    assert names == second.curves.keys() - OF_SLOW_RUNS
    for name in names:
        curve = first.curves[name]
        np.testing.assert_array_equal(curve.steps, second.curves[name].steps, name)
        if name not in CLOCKS:
            np.testing.assert_array_equal(curve.means, second.curves[name].means, name)


def stop_in_evaluation(monkeypatch: pytest.MonkeyPatch, path: Path, number: int) -> None:
    """Ask for a stop once the held-out losses of evaluation `number` are being computed."""
    monkeypatch.setattr(control, "POLL_EVERY", 0.0)
    losses, calls = Evaluator._losses, 0

    def stop_then_losses(self: Evaluator, method: Any) -> dict[str, float]:
        nonlocal calls
        calls += 1
        if calls == number:
            request(path, state="stop")
        return losses(self, method)

    monkeypatch.setattr(Evaluator, "_losses", stop_then_losses)


@pytest.mark.parametrize("log_every", [1, 3, 5])
def test_curves_of_a_stopped_run_have_no_gap_no_repeat_and_no_jump(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, log_every: int
) -> None:
    whole, broken = make_run(train__log_every=log_every), make_run(train__log_every=log_every)
    train_run(whole)
    for step in (2, 3, 7):
        stop_at(monkeypatch, broken, step)
        assert train_run(broken).state == "stopped"
        monkeypatch.undo()
    assert train_run(broken).state == "finished"
    assert_same_curves(whole, broken)


def test_an_evaluation_that_was_stopped_is_made_up_for(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = make_run(), make_run()
    train_run(whole)
    stop_in_evaluation(monkeypatch, broken, 2)
    status = train_run(broken)
    assert (status.state, status.checkpoint_step) == ("stopped", 8)
    assert RunReader(broken).refresh().map_steps == (4,)
    monkeypatch.undo()
    assert train_run(broken).state == "finished"
    assert_same_weights(whole, broken)
    assert_same_curves(whole, broken)


def test_a_checkpoint_asked_for_within_an_evaluation_holds_the_trainings_random_state(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(method__dropout=0.3)
    monkeypatch.setattr(control, "POLL_EVERY", 0.0)
    losses = Evaluator._losses
    states: dict[int, list[torch.Tensor]] = {}

    def ask_then_losses(self: Evaluator, method: Any) -> dict[str, float]:
        request(path, checkpoint=True)
        return losses(self, method)

    def note_and_save(folder: Path, state: dict[str, Any], best: bool) -> Saved:
        states.setdefault(state["step"], []).append(state["torch_rng"])
        return save_checkpoint(folder, state, best)

    monkeypatch.setattr(Evaluator, "_losses", ask_then_losses)
    monkeypatch.setattr(recorder, "save_checkpoint", note_and_save)
    assert train_run(path).state == "finished"
    assert len(states[4]) == 2  # the evaluation's own, and the one that was asked for
    for first, *others in states.values():
        assert all(torch.equal(first, other) for other in others)


def test_a_checkpoint_is_written_at_least_every_so_many_seconds(make_run: MakeRun) -> None:
    rare: dict[str, object] = {"train__eval_every": 3, "train__checkpoint_every": 3}
    whole, often = make_run(**rare), make_run(**rare, train__checkpoint_seconds=1e-9)
    train_run(whole)
    train_run(often)
    saved = [line for line in RunReader(often).refresh().log if "checkpoint at step" in line]
    assert len(saved) == 12
    assert len([x for x in RunReader(whole).refresh().log if "checkpoint at step" in x]) == 1
    assert_same_weights(whole, often)
    assert_same_curves(whole, often)


def test_a_damaged_checkpoint_is_reported_and_the_one_before_goes_on_to_the_same_weights(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, harmed = make_run(), make_run()
    train_run(whole)
    stopped(monkeypatch, harmed, 10)
    newest = harmed / "checkpoints" / "step-000000010.pt"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    assert train_run(harmed).state == "finished"
    log = "\n".join(RunReader(harmed).refresh().log)
    assert "step-000000010.pt is damaged: its checksum differs" in log
    assert "using the checkpoint before it, of step 8" in log
    assert_same_weights(whole, harmed)
    assert_same_curves(whole, harmed)


def test_without_any_whole_checkpoint_the_run_fails_and_keeps_what_it_has(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped(monkeypatch, make_run(), 6)
    for file in (path / "checkpoints").glob("step-*.pt"):
        file.write_bytes(b"")
    curves = (path / "metrics.jsonl").read_bytes()
    status = train_run(path)
    assert status.state == "failed"
    assert status.error is not None and "no checkpoint is intact" in status.error
    assert (path / "metrics.jsonl").read_bytes() == curves
    shutil.rmtree(path / "checkpoints")  # as the message offers
    assert train_run(path).state == "finished"


def test_a_stop_within_a_long_evaluation_takes_less_than_five_seconds(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    embed = Evaluator.embed

    def embed_for_ever(self: Evaluator, *arguments: Any) -> torch.Tensor:
        while True:
            embed(self, *arguments)

    monkeypatch.setattr(Evaluator, "embed", embed_for_ever)
    stopped_in_five_seconds(path, lambda: RunReader(path).refresh().status.phase == "evaluating")
    monkeypatch.undo()
    assert train_run(path).state == "finished"


def stopped_in_five_seconds(path: Path, when: Callable[[], bool]) -> None:
    """Train, ask for a stop as soon as `when` says so, and see that it comes in time."""
    worker = threading.Thread(target=train_run, args=(path,))
    worker.start()
    until(when)
    request(path, state="stop")
    until(lambda: not worker.is_alive(), 5.0)
    assert RunReader(path).refresh().status.state == "stopped"


def test_a_stop_while_loading_is_heeded_and_keeps_what_there_was(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()

    def load_for_ever(*arguments: Any, **options: Any) -> None:
        log = arguments[2]
        while True:
            log("decoded one more")
            time.sleep(0.01)

    monkeypatch.setattr(loading, "load_dataset", load_for_ever)
    stopped_in_five_seconds(path, lambda: "decoded" in "".join(RunReader(path).refresh().log[-1:]))
    monkeypatch.undo()
    assert train_run(path).state == "finished"


def test_a_fit_that_cannot_be_interrupted_is_left_behind_by_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = {"data.source": "digits", "data.per_class": 20, "data.inputs": "raw"}
    preset = load_preset("cifar10-eigenmaps", digits)
    path = create_run("eigenmaps", preset, tmp_path)
    release = threading.Event()
    monkeypatch.setattr(Eigenmaps, "fit", lambda *_: release.wait())
    stopped_in_five_seconds(path, lambda: RunReader(path).refresh().status.phase == "fitting")
    release.set()
    monkeypatch.undo()
    assert train_run(path).state == "finished"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes"),
    ],
)
def test_a_device_without_memory_names_batch_size_memory_and_a_smaller_batch(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = make_run()
    step = TrainingLoop.step

    def starved(self: TrainingLoop) -> dict[str, torch.Tensor]:
        if self.done == 9:
            raise error
        return step(self)

    monkeypatch.setattr(TrainingLoop, "step", starved)
    status = train_run(path)
    assert status.state == "failed" and status.error is not None
    assert "the CPU ran out of memory (" in status.error and "GiB free)" in status.error
    assert "train.batch_size=50" in status.error and "--set train.batch_size=25" in status.error
    assert "the checkpoint of step 8 is safe" in status.error
    monkeypatch.undo()
    assert train_run(path).state == "finished"


def test_a_run_that_became_nan_goes_on_at_a_lower_rate_asked_for_while_nobody_trained_it(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__schedule="constant", train__warmup_epochs=0)
    step = TrainingLoop.step

    def poisoned(self: TrainingLoop) -> dict[str, torch.Tensor]:
        terms = step(self)
        bad = self.done == 7 and self.lr_factor == 1
        return {name: term * float("nan") for name, term in terms.items()} if bad else terms

    monkeypatch.setattr(TrainingLoop, "step", poisoned)
    status = train_run(path)
    assert status.state == "failed" and status.error is not None
    assert "became nan at step 7" in status.error and "--slower" in status.error
    request(path, lr_factor=0.5)
    status = train_run(path)
    assert (status.state, status.lr_factor) == ("finished", 0.5)
    rates = RunReader(path).refresh().curves["train/lr"]
    before, after = rates.means[rates.steps <= 4], rates.means[rates.steps > 4]
    np.testing.assert_allclose(after, 0.5 * before[0])


@pytest.mark.parametrize("what", ["newest", "folder", "last.json"])
def test_a_checkpoint_of_another_user_is_a_sentence_and_nothing_is_trained_again(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = make_run()
    stop_at(monkeypatch, path, 8)
    assert train_run(path).state == "stopped"
    monkeypatch.undo()
    folder = path / "checkpoints"
    before = sorted(folder.iterdir())
    closed = {"folder": folder, "last.json": folder / "last.json"}.get(
        what, max(folder.glob("*.pt"))
    )
    for where, name in ((os, "open"), (Path, "iterdir")):
        real = getattr(where, name)

        def refuse(file: Any, *words: Any, real: Any = real, **named: Any) -> Any:
            if file == closed:
                raise PermissionError(errno.EACCES, "Permission denied", str(file))
            return real(file, *words, **named)

        monkeypatch.setattr(where, name, refuse)
    status = train_run(path)
    assert status.state == "failed"
    assert status.error == (
        f"{closed}: cannot be read: Permission denied: give yourself read access, then resume"
    )
    monkeypatch.undo()
    assert sorted(folder.iterdir()) == before
    assert train_run(path).state == "finished"


def test_a_disk_that_is_away_while_a_run_is_taken_up_is_waited_for(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, path = make_run(), make_run()
    train_run(whole)
    stop_at(monkeypatch, path, 8)
    assert train_run(path).state == "stopped"
    monkeypatch.undo()
    monkeypatch.setattr(disk, "TRY_EVERY", 0.05)
    refused = 0
    real = os.open

    def away(file: Any, flags: int, *words: Any, **named: Any) -> Any:
        nonlocal refused
        if str(file).endswith(".pt") and flags & os.O_ACCMODE == os.O_RDONLY and refused < 3:
            refused += 1
            raise OSError(errno.ESTALE, "Stale file handle", str(file))
        return real(file, flags, *words, **named)

    monkeypatch.setattr(os, "open", away)
    assert train_run(path).state == "finished"
    assert refused == 3
    assert_same_weights(whole, path)
