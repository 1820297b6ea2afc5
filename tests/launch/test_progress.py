"""`tui-latent train` in a terminal, and what signals do to it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.training.conftest import SMALL
from tests.waiting import Deadline, until
from tui_latent.launch.progress import describe
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import Status
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.terminal_loss import ONE_LOSS

LONG_AFTER_LOSS = ONE_LOSS + 2.0
"""seconds, with time for a busy process to hear of the loss"""


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Terminal]:
    """A long training on a terminal, once it has done some steps."""
    changes = SMALL | {"train.epochs": 100_000, "train.eval_every": 1000}
    # Triplets take none of the contrastive method's settings.
    words = [f"--set={key}={value}" for key, value in changes.items() if "head_dim" not in key]
    runs = str(tmp_path / "runs")
    terminal = Terminal("train", "digits-triplet-2d", "--runs", runs, "--name", "run", *words)
    until(lambda: bool(terminal.screen()) and status(tmp_path).step > 3)
    yield terminal
    terminal.close()


def status(folder: Path) -> Status:
    run = folder / "runs" / "run"
    return RunReader(run).refresh().status if (run / "preset.toml").exists() else Status()


def test_before_the_first_step_the_log_says_what_takes_so_long(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path, "cells", {"data": {"source": "folder"}}, {}, "run")
    reader = RunReader(writer.path)
    assert describe(reader.refresh()) == "starting"
    writer.status(phase="loading folder")
    writer.log("timm:resnet18 features: 512 of 9,000 images, 3 min left")
    assert describe(reader.refresh()) == (
        "starting  timm:resnet18 features: 512 of 9,000 images, 3 min left"
    )
    writer.log("finished")
    assert describe(reader.refresh()) == "starting", "the end of an earlier session is no news"
    writer.log("a" * 500)
    assert len(describe(reader.refresh())) < 100
    writer.status(state="running", phase="training")
    assert describe(reader.refresh()) == "training"
    writer.close()


@pytest.mark.slow
def test_a_signal_stops_and_saves_within_five_seconds(training: Terminal, tmp_path: Path) -> None:
    os.kill(status(tmp_path).pid, signal.SIGINT)
    until(lambda: status(tmp_path).state == "stopped", 5.0)
    assert training.wait_for_end() == 130
    assert status(tmp_path).checkpoint_step == status(tmp_path).step
    assert b"\x1b[?25h" in training.painted  # the cursor is back
    assert "tui-latent resume " in training.screen()


@pytest.mark.slow
def test_a_held_interrupt_key_stops_saves_and_says_how_to_go_on(
    training: Terminal, tmp_path: Path
) -> None:
    pid = status(tmp_path).pid
    deadline = Deadline()
    while training.status is None:
        assert not deadline.passed(), "signals that interrupt one another wait for ever"
        for _ in range(20):
            os.kill(pid, signal.SIGINT)
            time.sleep(0.0003)
        training.screen()
    assert training.status == 130
    assert "tui-latent resume " in training.screen()
    assert status(tmp_path).checkpoint_step == status(tmp_path).step


@pytest.mark.slow
def test_a_lost_terminal_does_not_end_a_training_and_the_next_signal_does(
    training: Terminal, tmp_path: Path
) -> None:
    pid = status(tmp_path).pid
    training.hang_up()
    step = status(tmp_path).step
    os.kill(pid, signal.SIGHUP)  # of the shell, which hears of the same loss
    time.sleep(LONG_AFTER_LOSS)
    until(lambda: status(tmp_path).step > step + 20)
    assert status(tmp_path).state == "running"
    os.kill(pid, signal.SIGHUP)
    until(lambda: status(tmp_path).state == "stopped")
    assert status(tmp_path).checkpoint_step == status(tmp_path).step


@pytest.mark.slow
def test_what_is_typed_while_a_bar_is_drawn_changes_nothing(
    training: Terminal, tmp_path: Path
) -> None:
    training.send(b"\xe9\xff\x1b[M \xff\xe9\x1b]11;s\x1b[200~s\r\0" * 20)
    step = status(tmp_path).step
    until(lambda: bool(training.screen()) and status(tmp_path).step > step)
    os.kill(status(tmp_path).pid, signal.SIGINT)
    assert training.wait_for_end() == 130
