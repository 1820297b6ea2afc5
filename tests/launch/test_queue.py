"""The process that trains the queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.made_runs import new_run, running
from tests.waiting import until
from tui_latent.launch import queue
from tui_latent.launch.queue import queue_run, training_here, work, work_on_queue
from tui_latent.runs.queue import (
    add_to_queue,
    is_worked_on,
    queued_runs,
    take_from_queue,
    worker_lock,
)
from tui_latent.runs.run_list import list_runs, run_status
from tui_latent.runs.schema import RunError, RunSummary


def made(runs: Path, name: str) -> Path:
    writer = new_run(runs, name)
    writer.close()
    return writer.path


def test_runs_are_trained_in_order_once_nothing_else_trains(tmp_path: Path) -> None:
    other = new_run(tmp_path, "other")
    other.lock()
    running(other)
    for name in ("first", "second"):
        add_to_queue(tmp_path, made(tmp_path, name).name)
    trained: list[str] = []
    waits: list[str] = []

    def wait(seconds: float) -> None:
        waits.append(training_here(tmp_path))
        if len(waits) == 2:
            other.status(state="finished")
            other.close()

    work(tmp_path, lambda path: trained.append(path.name), wait)
    assert waits == ["other", "other"]
    assert trained == ["first", "second"] and queued_runs(tmp_path) == []


def test_all_runs_are_listed_once_and_not_again_while_one_of_them_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_run(tmp_path, "other")
    other.lock()
    running(other)
    add_to_queue(tmp_path, made(tmp_path, "next").name)
    lists: list[Path] = []
    waits: list[float] = []

    def listing(folder: Path) -> list[RunSummary]:
        lists.append(folder)
        return list_runs(folder)

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 10:
            other.status(state="finished")
            other.close()

    monkeypatch.setattr(queue, "list_runs", listing)
    work(tmp_path, lambda path: None, wait)
    assert len(waits) == 10
    assert len(lists) == 2  # to find the run that trains, and to find none after it


def test_a_queue_that_is_emptied_while_a_run_trains_ends_at_once(tmp_path: Path) -> None:
    other = new_run(tmp_path, "other")
    other.lock()
    running(other)
    add_to_queue(tmp_path, made(tmp_path, "next").name)
    trained: list[Path] = []

    def wait(seconds: float) -> None:
        assert take_from_queue(tmp_path, "next")

    work(tmp_path, trained.append, wait)
    other.close()
    assert trained == []


def test_a_run_that_does_not_start_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    for name in ("broken", "sound"):
        add_to_queue(tmp_path, made(tmp_path, name).name)
    trained: list[str] = []

    def train(path: Path) -> None:
        if path.name == "broken":
            raise RunError("no disk")
        trained.append(path.name)

    work(tmp_path, train)
    assert trained == ["sound"]
    assert "broken not started: no disk" in (tmp_path / "queue.log").read_text()


@pytest.mark.slow
def test_a_process_without_a_dashboard_works_until_the_queue_is_empty(tmp_path: Path) -> None:
    """The queued run has no data, so its own process fails soon; the queue goes on and ends."""
    path = made(tmp_path, "one")
    (path / "preset.toml").write_text('[data]\nsource = "nothing"\n')
    assert queue_run(path) == 1
    until(lambda: queued_runs(tmp_path) == [])
    until(lambda: run_status(path).state == "failed")
    until(lambda: not is_worked_on(tmp_path))


def test_one_process_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *words, **more: started.append(words))
    work_on_queue(tmp_path)
    assert not started  # nothing waits
    add_to_queue(tmp_path, made(tmp_path, "one").name)
    lock = worker_lock(tmp_path)
    lock.take()
    work_on_queue(tmp_path)
    assert not started
    lock.release()
    work_on_queue(tmp_path)
    assert len(started) == 1
