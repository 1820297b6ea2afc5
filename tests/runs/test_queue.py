from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.runs.conftest import MakeRun
from tui_latent.cli.run_rows import run_line
from tui_latent.runs import queue
from tui_latent.runs.process import HOST
from tui_latent.runs.queue import (
    QUEUE_FILE,
    add_to_queue,
    is_worked_on,
    move_in_queue,
    queued_runs,
    remove_from_queue,
    take_from_queue,
    worker_lock,
)
from tui_latent.runs.run_filter import parse_filter
from tui_latent.runs.run_list import list_runs
from tui_latent.runs.schema import LIVE_STATES, RunError, RunSummary, Status
from tui_latent.runs.status import note_launched, read_status, with_interruption, write_status


def matches(text: str, run: RunSummary) -> bool:
    return parse_filter(text)(run)


def folders(runs: Path, *names: str) -> None:
    for name in names:
        (runs / name).mkdir(parents=True)


def test_runs_wait_in_order_and_can_be_moved_and_taken_out(tmp_path: Path) -> None:
    folders(tmp_path, "a", "b", "c")
    assert [add_to_queue(tmp_path, name) for name in ("a", "b", "c", "a")] == [1, 2, 3, 1]
    move_in_queue(tmp_path, "c", -1)
    assert queued_runs(tmp_path) == ["a", "c", "b"]
    move_in_queue(tmp_path, "a", 100)
    assert queued_runs(tmp_path) == ["c", "b", "a"]
    assert take_from_queue(tmp_path, "b") and not take_from_queue(tmp_path, "b")
    assert queued_runs(tmp_path) == ["c", "a"]


def test_a_run_removed_from_the_queue_was_not_interrupted_and_is_free_at_once(
    make_run: MakeRun,
) -> None:
    for name in ("next", "later"):
        make_run(name).close()
    folder = make_run("torn").path.parent
    (folder / "torn" / "status.json").write_text("")
    for name in ("next", "later"):
        add_to_queue(folder, name)
    assert remove_from_queue(folder, "next") and not remove_from_queue(folder, "next")
    runs = {run.name: run for run in list_runs(folder)}
    assert runs["next"].status.state_word == "not started"
    assert runs["next"].status.state not in LIVE_STATES, "it can be started and deleted"
    assert run_line(runs["next"]).split()[:2] == ["not", "started"]
    assert [name for name, run in runs.items() if matches("state:not", run)] == ["next"]
    note_launched(folder / "next", os.getpid())
    assert with_interruption(read_status(folder / "next")).state == "starting"
    assert run_line(runs["later"]).split()[:2] == ["queued", "1"]
    assert runs["torn"].status.state_word == "interrupted", "who knows what it was"


def test_a_run_that_a_process_had_begun_was_interrupted(make_run: MakeRun) -> None:
    writer = make_run("begun")
    dead = Status("running", pid=2**22 + 1, host=HOST, process="gone", heartbeat=1.0)
    write_status(writer.path, dead)
    assert with_interruption(read_status(writer.path)).state_word == "interrupted"


def test_a_run_that_another_process_takes_first_is_not_taken_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders(tmp_path, "a")
    add_to_queue(tmp_path, "a")

    @contextmanager
    def taken_meanwhile(lock: Path) -> Iterator[None]:
        (tmp_path / QUEUE_FILE).write_text('{"queue": []}')
        yield

    monkeypatch.setattr(queue, "one_at_a_time", taken_meanwhile)
    assert not take_from_queue(tmp_path, "a")


def test_a_queue_that_cannot_be_read_now_is_not_written_over(tmp_path: Path) -> None:
    folders(tmp_path, "a")
    (tmp_path / QUEUE_FILE).mkdir()
    assert queued_runs(tmp_path) == []
    with pytest.raises(RunError, match="cannot be written"):
        add_to_queue(tmp_path, "a")


def test_a_deleted_run_waits_no_longer(tmp_path: Path) -> None:
    folders(tmp_path, "a", "b")
    add_to_queue(tmp_path, "a")
    add_to_queue(tmp_path, "b")
    (tmp_path / "a").rmdir()
    assert queued_runs(tmp_path) == ["b"]


def test_each_machine_has_a_queue_of_its_own(tmp_path: Path) -> None:
    folders(tmp_path, "here", "there")
    rows = [{"run": "there", "host": f"not-{HOST}"}]
    (tmp_path / QUEUE_FILE).write_text(json.dumps({"queue": rows}))
    assert queued_runs(tmp_path) == []
    add_to_queue(tmp_path, "here")
    assert queued_runs(tmp_path) == ["here"]
    take_from_queue(tmp_path, "here")
    assert json.loads((tmp_path / QUEUE_FILE).read_text())["queue"] == rows


def test_a_damaged_queue_is_empty_and_names_of_no_run_are_left_out(tmp_path: Path) -> None:
    folders(tmp_path, "a")
    names = ("../a", "..", "", "a" * 300, "a\0")
    wrong = [json.dumps({"queue": [{"run": name, "host": HOST}]}) for name in names]
    for text in ("{", "[]", '{"queue": 3}', *wrong):
        (tmp_path / QUEUE_FILE).write_text(text)
        assert queued_runs(tmp_path) == []


def test_the_list_of_runs_shows_places_in_the_queue(make_run: MakeRun) -> None:
    runs = make_run(name="first").path.parent
    make_run(name="second")
    add_to_queue(runs, "second")
    add_to_queue(runs, "first")
    assert {run.name: run.queued for run in list_runs(runs)} == {"first": 2, "second": 1}


def test_a_lock_shows_whether_a_process_trains_the_queue(tmp_path: Path) -> None:
    assert not is_worked_on(tmp_path)
    lock = worker_lock(tmp_path)
    lock.take()
    assert is_worked_on(tmp_path)
    lock.release()
    assert not is_worked_on(tmp_path)
