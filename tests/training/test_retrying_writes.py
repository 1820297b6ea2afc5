"""Disks that accept no writes for a while, in the middle of a training."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import MakeRun
from tests.training.test_session import assert_same_weights, records
from tests.waiting import patience, until
from tui_latent.launch.start import train_run
from tui_latent.runs.control import read_request, request
from tui_latent.runs.line_files import AppendedLines
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import Status
from tui_latent.runs.status import read_status, write_status
from tui_latent.training import recorder
from tui_latent.training import retrying_writes as disk
from tui_latent.training.checkpoint import save_checkpoint
from tui_latent.training.loop import TrainingLoop


class FullDisk:
    """Refuses whatever it is put before, until it is told that there is room."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.full = True
        self.refused = 0

    def before(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """Return `action`, failing while the disk is full."""

        def tried(*arguments: Any, **options: Any) -> Any:
            if self.full:
                self.refused += 1
                raise OSError(self.number, os.strerror(self.number))
            return action(*arguments, **options)

        return tried


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "TRY_EVERY", 0.05)


def train_beside(path: Path) -> threading.Thread:
    worker = threading.Thread(target=train_run, args=(path,))
    worker.start()
    return worker


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EDQUOT, "quota exceeded"),
        (errno.EROFS, "Read-only file system"),
        (errno.ENODEV, "No such device"),
        (errno.ENOTCONN, "endpoint is not connected"),
        (errno.EREMOTEIO, "Remote I/O error"),
    ],
)
def test_a_checkpoint_waits_for_room_and_the_run_ends_as_if_there_had_been_some(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    whole, run = make_run(), make_run()
    train_run(whole)
    full = FullDisk(number)
    monkeypatch.setattr(recorder, "save_checkpoint", full.before(save_checkpoint))
    worker = train_beside(run)
    until(lambda: full.refused > 2)
    status = RunReader(run).refresh().status
    assert status.state == "paused"
    assert status.error is not None and words in status.error
    assert str(run / "checkpoints") in status.error and "bytes" in status.error
    full.full = False
    worker.join(patience())
    status = RunReader(run).refresh().status
    assert (status.state, status.error, status.checkpoint_step) == ("finished", None, 12)
    assert_same_weights(whole, run)
    log = "\n".join(RunReader(run).refresh().log)
    assert log.count("paused: ") == 1 and "training continues" in log


def test_a_record_waits_too_and_is_neither_lost_nor_doubled(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    full = FullDisk(errno.ENOSPC)
    real = AppendedLines.append
    refusing = full.before(real)

    def append(lines: AppendedLines, line: bytes) -> None:
        (refusing if b'"train/loss"' in line else real)(lines, line)

    monkeypatch.setattr(AppendedLines, "append", append)
    worker = train_beside(run)
    until(lambda: full.refused > 1)
    full.full = False
    worker.join(patience())
    assert [r["step"] for r in records(run) if "train/loss" in r] == list(range(1, 13))


def test_a_run_can_be_stopped_while_the_disk_is_full_and_says_what_is_lost(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    full = FullDisk(errno.ENOSPC)
    monkeypatch.setattr(recorder, "save_checkpoint", full.before(save_checkpoint))
    worker = train_beside(run)
    until(lambda: full.refused > 1)
    request(run, state="stop")
    until(lambda: not worker.is_alive(), 5.0)
    status = RunReader(run).refresh().status
    assert status.state == "failed"
    assert status.error is not None and "stopped without a last checkpoint" in status.error
    full.full = False
    assert train_run(run).state == "finished"


def test_what_prints_while_the_disk_is_full_does_not_end_the_training(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    real = AppendedLines.append

    def append(lines: AppendedLines, line: bytes) -> None:
        if b"train/loss" not in line and b"val/loss" not in line[:80]:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(lines, line)

    monkeypatch.setattr(AppendedLines, "append", append)
    monkeypatch.setattr("tui_latent.runs.writer.RunWriter.sync", lambda _: None)
    status = train_run(run)
    assert status.state == "finished", status.error


def test_status_and_requests_are_written_over_the_old_ones_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_status(tmp_path, Status(state="running", phase="a long phase " * 9))
    request(tmp_path, checkpoint=True)
    refused: list[Path] = []

    def refuse(path: Path, *_: object, **__: object) -> None:
        refused.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tui_latent.runs.atomic_files.replace_file", refuse)
    write_status(tmp_path, Status(state="paused"))
    assert read_status(tmp_path) == Status(state="paused")
    request(tmp_path, state="stop")
    assert read_request(tmp_path).state == "stop"
    own = [path.name for path in refused if path.parent == tmp_path]  # others' hearts may beat
    assert own == ["status.json", "control.json"]


def test_another_error_of_the_system_fails_the_run_in_words(make_run: MakeRun) -> None:
    run = make_run()
    (run / "checkpoints" / "last.json").mkdir(parents=True)
    status = train_run(run)
    assert status.state == "failed"
    assert status.error is not None and "last.json: Is a directory" in status.error
    assert "Traceback" not in (run / "train.log").read_text()


@pytest.mark.parametrize("number", [errno.EIO, errno.ETIMEDOUT, errno.EHOSTDOWN])
def test_a_disk_that_is_away_altogether_is_waited_for_and_changes_nothing_asked(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Neither the folder, nor the request, nor the status can be read or written meanwhile."""
    whole, run = make_run(), make_run()
    train_run(whole)
    request(run, lr_factor=1.0, state="run")
    away = FullDisk(number)
    away.full = False
    step = TrainingLoop.step

    def step_then_lose(self: TrainingLoop) -> Any:
        if self.done == 5:
            away.full = True
        return step(self)

    monkeypatch.setattr(TrainingLoop, "step", step_then_lose)
    for owner, names in ((Path, ("stat", "open", "replace", "mkdir")), (os, ("open",))):
        for name in names:
            monkeypatch.setattr(owner, name, only_in(run, away, getattr(owner, name)))
    real_write = os.write
    monkeypatch.setattr(os, "write", away.before(real_write))
    worker = train_beside(run)
    until(lambda: away.refused > 20)
    away.full = False
    worker.join(patience())
    assert not worker.is_alive()
    monkeypatch.undo()
    assert read_status(run).state == "finished", read_status(run).error
    assert_same_weights(whole, run)
    assert [r["step"] for r in records(run) if "train/loss" in r] == list(range(1, 13))


def only_in(folder: Path, away: FullDisk, action: Callable[..., Any]) -> Callable[..., Any]:
    """Return `action`, failing for what lies in `folder` while its disk is away."""
    refusing = away.before(action)

    def tried(path: Path | str, *arguments: Any, **options: Any) -> Any:
        inside = Path(path).is_relative_to(folder)
        return (refusing if inside else action)(path, *arguments, **options)

    return tried


def test_how_a_run_ended_waits_for_the_disk_too(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    full = FullDisk(errno.EIO)
    full.full = False
    real = write_status

    def refuse_the_end(path: Path, status: Status) -> None:
        if status.state == "finished" and full.refused == 0:
            full.full = True
        (full.before(real))(path, status)

    monkeypatch.setattr("tui_latent.runs.writer.write_status", refuse_the_end)
    worker = train_beside(run)
    until(lambda: full.refused > 2)
    full.full = False
    worker.join(patience())
    assert read_status(run).state == "finished"


def test_a_request_that_cannot_be_read_for_a_moment_asks_for_nothing_else(tmp_path: Path) -> None:
    asked = request(tmp_path, state="pause", lr_factor=0.5)
    for content in (b"", b"{", b"[]"):
        (tmp_path / "control.json").write_bytes(content)
        assert read_request(tmp_path, asked) is asked
    (tmp_path / "control.json").unlink()
    assert read_request(tmp_path, asked) is asked


def test_lines_that_a_disk_lost_are_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = AppendedLines(tmp_path / "lines", durable=True)
    lines.append(b"one")
    lines.sync()
    lines.append(b"two")
    lines.append(b"three")
    away = FullDisk(errno.EIO)
    monkeypatch.setattr(os, "write", away.before(os.write))
    with pytest.raises(OSError, match="Input/output error"):
        lines.append(b"four")
    monkeypatch.undo()
    (tmp_path / "lines").write_bytes(b"one\ntw")
    lines.append(b"four")
    lines.sync()
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\nthree\nfour\n"
