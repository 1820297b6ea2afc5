"""Real launchers: machines that differ are told so, and a killed process restarts the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.waiting import until
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError

ROOT = Path(__file__).parents[2]
SMALL = (
    *("--device", "cpu", "--set", "stages=[]", "--set", "train.batch_size=20"),
    *("--set", "method.width=2", "--set", "method.hidden_dim=8"),
)


def _torchrun(*words: str, restarts: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         f"--max-restarts={restarts}", "--monitor-interval=0.1", "-m", *words],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _images(folder: Path, darkness: int) -> None:
    for number in range(40):
        path = folder / ("one", "two")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number * 5 // darkness).save(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("images", "sees other images than process 0"),
        ("torch", "it has torch 1.0, and process 0 has"),
        ("the code of tui-latent", "it has the code of tui-latent 1.0"),
        ("train.lr=0.5", "train.lr is 0.5 here and"),
    ],
    ids=["images", "torch", "code", "settings"],
)
def test_a_machine_that_differs_is_told_before_training(
    what: str, said: str, tmp_path: Path
) -> None:
    _images(tmp_path / "photos", 1)
    _images(tmp_path / "photos-of-another-machine", 2)
    data = ("--set", f"data.path={tmp_path / 'photos'}", "--set", "data.size=8")
    process = _torchrun(
        *("tests.launch.other_node", what, "train", "folder-contrastive-2d", *SMALL, *data),
        *("--runs", str(tmp_path / "runs"), "--name", "both"),
        restarts=2,
    )
    assert process.wait() != 0
    snapshot = RunReader(tmp_path / "runs" / "both").refresh()
    assert sum("failed: " in line for line in snapshot.log) == 1, "it is tried once"
    status = snapshot.status
    assert (status.state, status.step) == ("failed", 0)
    assert f"process 1 of 2 (on {os.uname().nodename}): " in (status.error or "")
    assert said in (status.error or "")


@pytest.mark.slow
@pytest.mark.parametrize("first", ["0", "1"], ids=["the leader first", "the follower first"])
def test_torchrun_restarts_a_run_twice_and_finds_it_again(first: str, tmp_path: Path) -> None:
    """One process is killed while it trains, and the other one while all start again."""
    process = _torchrun(
        *("tui_latent", "train", "digits-contrastive-2d", *SMALL, "--runs", str(tmp_path)),
        *("--set", "train.epochs=100000", "--set", "train.eval_every=1000"),
        *("--set", "train.checkpoint_seconds=0.5", "--name", "elastic"),
        restarts=2,
    )
    run = tmp_path / "elastic"
    until(lambda: _checkpoint(run) > 0)
    _kill(process.pid, first, restart="0")
    _kill(process.pid, "1" if first == "0" else "0", restart="1")
    reader = RunReader(run)
    until(lambda: any("had ended" in event.text for event in reader.refresh().events))
    step = reader.refresh().status.step
    until(lambda: reader.refresh().status.step > step + 5)
    os.kill(_process(process.pid, "0", "2").pid, signal.SIGTERM)
    assert process.wait() == 0
    snapshot = reader.refresh()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["elastic"]
    assert (snapshot.status.state, snapshot.status.checkpoint_step) == (
        "stopped",
        snapshot.status.step,
    )
    steps = snapshot.curves["train/loss"].steps
    assert (steps[1:] > steps[:-1]).all()


def _checkpoint(run: Path) -> int:
    try:
        return RunReader(run).refresh().status.checkpoint_step or 0
    except RunError:  # it is not made yet
        return 0


def _kill(launcher: int, rank: str, restart: str) -> None:
    _process(launcher, rank, restart).kill()


def _process(launcher: int, rank: str, restart: str) -> psutil.Process:
    """Wait for the process of a rank after so many restarts, and return it."""
    found: list[psutil.Process] = []

    def look() -> bool:
        for child in psutil.Process(launcher).children():
            try:
                place = child.environ()
            except psutil.Error:  # it has just ended
                continue
            if (place.get("RANK"), place.get("TORCHELASTIC_RESTART_COUNT")) == (rank, restart):
                found.append(child)
        return bool(found)

    until(look)
    return found[0]
