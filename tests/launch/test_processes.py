"""Several processes train one run; one is killed, and the run goes on with another number."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.training.conftest import SMALL
from tests.waiting import patience, until
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_preset
from tui_latent.launch import processes, start
from tui_latent.launch.background import background_process, train_in_processes
from tui_latent.launch.extend import change_length
from tui_latent.launch.processes import (
    devices_of,
    launched_variables,
    launcher,
)
from tui_latent.launch.start import check_preset, create_run, train_run
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunBusyError

PRESET = "digits-contrastive-2d"


def _run(folder: Path, **changes: object) -> Path:
    preset = load_preset(PRESET, SMALL | {"stages": [], "train.devices": 2} | changes)
    return create_run("digits", preset, folder)


def _process_of_rank(launched: psutil.Process, rank: str) -> psutil.Process | None:
    for child in launched.children(recursive=True):
        try:
            if child.environ().get("RANK") == rank:
                return child
        except psutil.Error:  # it has just ended
            continue
    return None


@pytest.mark.slow
def test_a_killed_process_restarts_the_run_which_goes_on_with_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "cpu_cores", lambda: 2)
    changes = {"train.epochs": 100_000, "train.eval_every": 1000, "train.checkpoint_seconds": 0.5}
    run = _run(tmp_path, **changes)
    process = background_process(run, [])
    reader = RunReader(run)
    until(lambda: (reader.refresh().status.checkpoint_step or 0) > 0)
    assert "2 processes" in reader.refresh().status.device
    follower = _process_of_rank(psutil.Process(process.pid), "1")
    assert follower is not None
    follower.kill()
    until(lambda: any("had ended" in event.text for event in reader.refresh().events))
    step = reader.refresh().status.step
    until(lambda: reader.refresh().status.step > step + 2)
    request(run, state="stop")
    process.wait(patience(60))
    status = reader.refresh().status
    assert status.state == "stopped"
    # The same run, now by this process alone, for one epoch more.
    epochs = int(status.epoch) + 1
    said = change_length(run, {"train.devices": 1, "train.epochs": epochs})
    assert "with 1 process" in said
    assert train_run(run).state == "finished"
    snapshot = reader.refresh()
    steps = snapshot.curves["train/loss"].steps
    assert (steps[1:] > steps[:-1]).all()
    assert snapshot.status.epoch == epochs


@pytest.mark.slow
def test_another_number_of_processes_goes_on_with_the_same_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without random views, the rows of each step alone decide its loss."""
    monkeypatch.setattr(start, "cpu_cores", lambda: 2)
    length: dict[str, object] = {"train.epochs": 2, "train.schedule": "constant"}
    length |= {"train.optimizer": "sgd", "train.lr": 0.05}
    changes = {key: value for key, value in SMALL.items() if not key.endswith("head_dim")}
    preset = load_preset("digits-conv-autoencoder", changes | length)
    alone = create_run("digits", preset, tmp_path, "alone")
    assert train_run(alone).state == "finished"
    shared = load_preset(
        "digits-conv-autoencoder", changes | length | {"train.epochs": 1, "train.devices": 2}
    )
    run = create_run("digits", shared, tmp_path, "shared")
    assert train_in_processes(run, []).state == "finished"
    change_length(run, {"train.devices": 1, "train.epochs": 2})
    assert train_run(run).state == "finished"
    one, other = (RunReader(each).refresh().curves["train/loss"] for each in (alone, run))
    assert one.steps.tolist() == other.steps.tolist() == list(range(1, 9))
    assert other.means == pytest.approx(one.means, rel=1e-3)


@pytest.mark.slow
def test_a_stop_by_signal_reaches_all_processes_and_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "cpu_cores", lambda: 2)
    run = _run(tmp_path, **{"train.epochs": 100_000, "train.eval_every": 1000})
    process = background_process(run, [])
    reader = RunReader(run)
    until(lambda: reader.refresh().status.step > 3)
    first = _process_of_rank(psutil.Process(process.pid), "0")
    assert first is not None
    os.kill(first.pid, signal.SIGTERM)
    process.wait(patience(60))
    status = reader.refresh().status
    assert (status.state, status.checkpoint_step) == ("stopped", status.step)
    assert "OMP_NUM_THREADS" not in (run / "train.log").read_text(), "no advice of the launcher's"
    # Resumed, it starts from the moment it is asked for, and a second request is refused.
    again = background_process(run, [])
    assert reader.refresh().status.state == "starting"
    with pytest.raises(RunBusyError, match=f"by process {again.pid} on"):
        background_process(run, [])
    request(run, state="stop")
    again.wait(patience(60))
    assert reader.refresh().status.state == "stopped"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train.devices": 1_000, "train.batch_size": 1_000}, "cores: use"),
        ({"train.devices": 2, "train.batch_size": 255}, "batch_size=254 or train.batch_size=256"),
        ({"train.devices": 2, "train.device": "cuda"}, "no GPU: use train.device=cpu"),
        ({"train.devices": 2, "train.device": "cuda:1"}, "a single one: use train.device=cuda"),
    ],
    ids=["too many", "uneven", "no GPU", "one GPU named"],
)
def test_what_several_processes_cannot_do_is_refused_before_anything_starts(
    changes: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "cpu_cores", lambda: 2)
    monkeypatch.setattr(start, "no_gpu_reason", lambda: None)
    monkeypatch.setattr(start, "devices", tuple)
    preset = load_preset(PRESET, {"train.device": "cpu"} | changes)
    with pytest.raises(PresetError, match=said):
        check_preset(preset, tmp_path, PRESET)


@pytest.mark.parametrize(
    ("set_to", "cores", "expected"),
    [(None, 8, "1"), ("8", 8, "4"), ("3", 8, "3"), ("2", 1, "1")],
    ids=["nothing set", "all cores taken by the parent", "chosen by a person", "one core"],
)
def test_processes_of_a_run_share_the_cores(
    set_to: str | None, cores: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "cpu_cores", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if set_to is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", set_to)
    assert launched_variables(2)["OMP_NUM_THREADS"] == expected
    assert launched_variables(1).get("OMP_NUM_THREADS") == set_to


def test_the_launcher_starts_as_many_processes_as_the_run_has_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "cpu_cores", lambda: 2)
    run = _run(tmp_path)
    assert devices_of(run) == 2
    assert "--nproc-per-node=2" in launcher(2)
    assert "torch.distributed.run" not in launcher(1)
    # In a process that another launcher has started, this one starts none.
    for name, value in {
        "RANK": "0",
        "WORLD_SIZE": "4",
        "MASTER_ADDR": "a",
        "MASTER_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert devices_of(run) == 1
