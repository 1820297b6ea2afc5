from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.new_run import make_run_folder
from tui_latent.runs.process import HOST, process_of, this_process
from tui_latent.runs.run_list import list_runs, refuse_trained
from tui_latent.runs.schema import LIVE_STATES, RunBusyError, State, Status
from tui_latent.runs.status import (
    StatusError,
    StatusFile,
    certain_status,
    note_launched,
    read_status,
    with_interruption,
    write_status,
)
from tui_latent.runs.trainer_lock import TrainerLock

ELSEWHERE = "another-host"


@pytest.fixture(scope="module")
def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def live(**changes: Any) -> Status:
    beating = {"pid": os.getpid(), "host": HOST, "heartbeat": time.time()}
    return Status(**{"state": "running", **beating, **changes})


def test_a_status_comes_back_as_it_was(tmp_path: Path) -> None:
    status = live(
        step=3, epoch=0.5, phase="loading [red]", error="über\ntwo lines", loss=float("inf")
    )
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.parametrize("state", sorted(LIVE_STATES))
def test_a_run_whose_process_is_gone_is_interrupted_at_once(state: State, dead_pid: int) -> None:
    dead = live(state=state, pid=dead_pid, process=this_process())
    assert with_interruption(dead).state == "interrupted"


def test_a_run_starts_as_long_as_the_process_lives_that_will_take_it(tmp_path: Path) -> None:
    """On a busy machine, importing torch takes longer than a heartbeat may stay away."""
    write_status(tmp_path, Status(host="where it was made", heartbeat=time.time() - 600))
    assert with_interruption(read_status(tmp_path)).state == "interrupted"
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    try:
        note_launched(tmp_path, process.pid)
        assert with_interruption(read_status(tmp_path)).state == "starting"
    finally:
        process.kill()
        process.wait()
    assert with_interruption(read_status(tmp_path)).state == "interrupted"
    write_status(
        tmp_path,
        Status(host=HOST, heartbeat=time.time(), launched_pid=process.pid, launched=this_process()),
    )
    assert with_interruption(read_status(tmp_path)).state == "interrupted", "at once"
    write_status(tmp_path, taken := live())
    note_launched(tmp_path, os.getpid())
    assert read_status(tmp_path) == taken, "a process has taken it"


@pytest.mark.parametrize("lives", [False, True])
@pytest.mark.parametrize("state", ["stopped", "failed", "finished"])
def test_a_run_that_is_resumed_starts_and_is_not_started_twice(
    state: State, lives: bool, dead_pid: int, tmp_path: Path
) -> None:
    """A run of several processes takes many seconds until one of them has taken it.

    Its last trainer may live, as a dashboard that trained it itself.
    """
    run = make_run_folder(tmp_path, "digits", {}, {}, None)
    pid = os.getppid() if lives else dead_pid
    mark = process_of(pid) if lives else this_process()
    write_status(run, replace(live(state=state, pid=pid, process=mark), step=7))
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    try:
        note_launched(run, process.pid)
        shown = with_interruption(read_status(run))
        assert (shown.state, shown.step) == ("starting", 7)
        with pytest.raises(RunBusyError, match=f"by process {process.pid} on"):
            refuse_trained(run, "try again")
        lock = TrainerLock(run)
        assert lock.take().pid == pid, "what was launched can take it"
        lock.release()
    finally:
        process.kill()
        process.wait()
    assert with_interruption(read_status(run)).state == "interrupted"
    refuse_trained(run, "try again")


def test_a_new_run_is_not_started_twice(tmp_path: Path) -> None:
    run = make_run_folder(tmp_path, "digits", {}, {}, None)
    write_status(run, Status(host=HOST, heartbeat=time.time()))
    refuse_trained(run, "try again")
    note_launched(run, os.getpid())
    with pytest.raises(RunBusyError, match=f"by process {os.getpid()} on"):
        refuse_trained(run, "try again")


@pytest.mark.parametrize("state", ["running", "interrupted"])
def test_a_run_starts_again_while_the_launcher_of_its_processes_lives(
    state: State, dead_pid: int
) -> None:
    there = {"launched_pid": os.getpid(), "launched": this_process()}
    killed = live(state=state, pid=dead_pid, process=this_process(), **there)
    assert with_interruption(killed).state == "starting"
    assert with_interruption(replace(killed, launched_pid=dead_pid)).state == "interrupted"
    finished = replace(killed, state="finished")
    assert with_interruption(finished) == finished


@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "interrupted"])
def test_an_ended_run_stays_as_it_ended(state: State, dead_pid: int) -> None:
    assert with_interruption(live(state=state, pid=dead_pid, heartbeat=0.0)).state == state


def test_a_live_run_is_left_alone() -> None:
    status = live(state="paused", heartbeat=time.time() - 25)
    assert with_interruption(status) is status


@pytest.mark.parametrize("age", [35, 1e6, -35, -1e6])
@pytest.mark.parametrize("host", [HOST, ELSEWHERE])
def test_a_heartbeat_long_ago_means_interrupted_whatever_the_pid(age: float, host: str) -> None:
    """The pid of a dead trainer may belong to another process by now."""
    status = live(host=host, heartbeat=time.time() - age)
    assert with_interruption(status).state == "interrupted"


@pytest.mark.parametrize(
    "place", ["", "another-boot pid:[4026531836] 77 a", "{boot} pid:[4026539999] 77 a"]
)
def test_a_number_that_means_nothing_here_leaves_a_fresh_heartbeat_live(
    place: str, dead_pid: int, tmp_path: Path
) -> None:
    """Another container or another host of the same name has process numbers of its own."""
    process = place.format(boot=this_process().split(" ")[0])
    beating = live(pid=dead_pid, process=process)
    assert with_interruption(beating).state == "running"
    mine_here = live(process=process, heartbeat=time.time() - 60)  # a number that is in use here
    assert with_interruption(mine_here).state == "interrupted"
    write_status(tmp_path, beating)
    assert certain_status(tmp_path).state == "running"


def test_a_number_used_again_by_another_process_does_not_make_a_dead_run_live() -> None:
    boot, namespace, start = this_process().split(" ")
    earlier = live(process=f"{boot} {namespace} {int(start) - 1} a")
    assert with_interruption(earlier).state == "interrupted"


def test_a_process_that_lives_is_live_also_while_its_disk_takes_no_heartbeat() -> None:
    waiting = live(state="paused", process=f"{this_process()} a", heartbeat=time.time() - 3600)
    assert with_interruption(waiting) is waiting


def test_a_process_not_waited_for_yet_is_dead() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "from tui_latent.runs.process import *; print(this_process())"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    process = child.stdout.read().strip()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert with_interruption(live(pid=child.pid, process=process)).state == "interrupted"
    child.stdout.close()
    child.wait()


@pytest.mark.parametrize("skew", [-5000.0, 5000.0])
def test_a_heartbeat_by_another_clock_that_moves_is_live_at_one_look(
    tmp_path: Path, skew: float
) -> None:
    write_status(tmp_path, live(host=ELSEWHERE, heartbeat=time.time() + skew))
    assert certain_status(tmp_path, seconds=0.2).state == "interrupted"
    enough = threading.Event()

    def beat() -> None:
        while not enough.wait(0.1):
            write_status(tmp_path, live(host=ELSEWHERE, heartbeat=time.time() + skew))

    beats = threading.Thread(target=beat)
    beats.start()
    assert certain_status(tmp_path).state == "running"
    enough.set()
    beats.join()


def test_a_list_of_runs_learns_that_a_heartbeat_by_another_clock_moves(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_status(run, live(host=ELSEWHERE, heartbeat=1000.0))
    assert [r.status.state for r in list_runs(tmp_path)] == ["interrupted"]
    write_status(run, live(host=ELSEWHERE, heartbeat=1001.0))
    assert [r.status.state for r in list_runs(tmp_path)] == ["running"]


def test_a_dead_pid_says_nothing_about_another_host(dead_pid: int) -> None:
    assert with_interruption(live(host=ELSEWHERE, pid=dead_pid)).state == "running"


def test_a_beating_heart_on_a_host_with_another_clock_counts_as_live(tmp_path: Path) -> None:
    write_status(tmp_path, live(host=ELSEWHERE, heartbeat=time.time() - 5000))
    file = StatusFile(tmp_path)
    assert file.refresh().state == "interrupted"
    write_status(tmp_path, live(host=ELSEWHERE, heartbeat=time.time() - 4999))
    assert file.refresh().state == "running"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"state": "sleeping"}', '{"state": 3}', "[" * 100_000]
    + [
        json.dumps({"state": "running", **wrong})
        for wrong in (
            {"step": "7"},
            {"step": 1.5},
            {"step": True},
            {"epoch": "x"},
            {"epoch": 10**400},
            {"pid": None},
            {"error": 3},
        )
    ],
)
def test_a_torn_status_is_an_error_that_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "status.json").write_text(content)
    with pytest.raises(StatusError, match=r"status\.json is damaged"):
        read_status(tmp_path)


@given(st.data())
def test_a_status_cut_anywhere_is_torn(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("status")
    write_status(folder, live(heartbeat=1.5, pid=7))
    content = (folder / "status.json").read_bytes()
    (folder / "status.json").write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(StatusError):
        read_status(folder)


def test_a_missing_status_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match="missing"):
        read_status(tmp_path)


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    table = asdict(live(state="finished")) | {"mood": "good", "epoch": 3}
    (tmp_path / "status.json").write_text(json.dumps(table))
    assert read_status(tmp_path).epoch == 3.0


def test_the_last_readable_status_stands_while_the_file_is_torn(tmp_path: Path) -> None:
    write_status(tmp_path, live(state="finished", step=7))
    file = StatusFile(tmp_path)
    assert (file.refresh().step, file.problem) == (7, "")
    (tmp_path / "status.json").write_text("{")
    assert (file.refresh().state, file.refresh().step) == ("finished", 7)
    assert "damaged" in file.problem
    write_status(tmp_path, live(state="finished", step=8))
    assert (file.refresh().step, file.problem) == (8, "")


def test_a_run_without_any_readable_status_counts_as_interrupted(tmp_path: Path) -> None:
    file = StatusFile(tmp_path)
    assert file.refresh().state == "interrupted"
    assert "missing" in file.problem
