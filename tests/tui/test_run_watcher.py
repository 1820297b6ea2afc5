"""Following a run folder from a thread."""

from __future__ import annotations

import queue
import shutil
import threading
from pathlib import Path

from textual.message import Message

from tests.tui.made_runs import clusters, new_run, running, trained_run
from tests.waiting import patience
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.run_watcher import RunLost, RunWatcher, SnapshotRead


def watch(path: Path) -> tuple[RunWatcher, queue.Queue[Message]]:
    messages: queue.Queue[Message] = queue.Queue()
    watcher = RunWatcher(path, messages.put, interval=0.01)
    watcher.start()
    return watcher, messages


def test_a_run_is_reported_at_once_and_then_only_what_changed(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    watcher, messages = watch(writer.path)
    first = messages.get(timeout=patience())
    assert isinstance(first, SnapshotRead)
    assert first.snapshot.status.step == 720
    writer.latent_map(clusters(50, 2))
    second = messages.get(timeout=patience())
    while isinstance(second, SnapshotRead) and second.snapshot.map is first.snapshot.map:
        second = messages.get(timeout=patience())  # a heartbeat came first
    assert isinstance(second, SnapshotRead)
    assert second.snapshot.curves["train/loss"] is first.snapshot.curves["train/loss"]
    watcher.close()
    writer.close()


def test_a_folder_that_is_not_a_run_is_named(tmp_path: Path) -> None:
    _, messages = watch(tmp_path / "nothing")
    lost = messages.get(timeout=patience())
    assert isinstance(lost, RunLost)
    assert "nothing" in lost.problem


def test_a_folder_that_goes_is_reported(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    running(writer)
    writer.close()
    _, messages = watch(writer.path)
    messages.get(timeout=patience())
    shutil.rmtree(writer.path)
    message = messages.get(timeout=patience())
    while not isinstance(message, RunLost):
        message = messages.get(timeout=patience())
    assert writer.path.name in message.problem


def test_nothing_is_told_after_closing(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    watcher, messages = watch(writer.path)
    messages.get(timeout=patience())
    watcher.close()
    watcher._thread.join(patience())
    assert not watcher._thread.is_alive()
    while not messages.empty():
        messages.get()
    running(writer)
    writer.close()
    assert messages.empty()


def test_a_run_that_comes_back_is_shown_again_and_its_loss_told_once(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path, "digits", {}, {}, "mine")
    told: list[Message] = []
    arrived = threading.Condition()

    def post(message: Message) -> None:
        with arrived:
            told.append(message)
            arrived.notify()

    def wait_for(count: int) -> None:
        with arrived:
            assert arrived.wait_for(lambda: len(told) >= count, patience())

    watcher = RunWatcher(run.path, post, 0.02)
    watcher.start()
    wait_for(1)
    run.path.rename(tmp_path / "away")
    wait_for(2)
    threading.Event().wait(0.2)
    (tmp_path / "away").rename(run.path)
    wait_for(3)
    watcher.close()
    assert [type(message) for message in told] == [SnapshotRead, RunLost, SnapshotRead]
