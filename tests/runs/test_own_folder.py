"""Folders of runs that are deleted, moved, replaced or unmounted under the trainer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs.conftest import PRESET, MakeRun
from tests.waiting import until
from tui_latent.runs.schema import FolderLostError, RunBusyError, RunError
from tui_latent.runs.status import read_status
from tui_latent.runs.writer import RunWriter


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def training(make_run: MakeRun) -> RunWriter:
    run = make_run(name="mine")
    run.lock()
    run.status(state="running")
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    run.log("began")
    return run


def delete(path: Path) -> None:
    while path.exists():  # a heartbeat may write into it meanwhile
        shutil.rmtree(path, ignore_errors=True)


def move(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def lead_elsewhere(path: Path) -> None:
    other = path.with_name("other")
    other.mkdir()
    delete(path)
    path.symlink_to(other)


def lost(run: RunWriter) -> bool:
    try:
        run.check_still_mine()
    except FolderLostError:
        return True
    return False


@pytest.mark.parametrize("away", [delete, move])
def test_a_folder_made_anew_by_the_same_name_is_not_written_into(
    make_run: MakeRun, away: Callable[[Path], None]
) -> None:
    run = training(make_run)
    away(run.path)
    again = RunWriter.create(run.path.parent, "digits-2d", PRESET, {}, "mine")
    before = contents(again.path)
    with pytest.raises(FolderLostError, match=r"mine: this folder was replaced by another .*stop"):
        run.check()
    run.status(state="paused")
    run.metrics(2, 0.2, 0.2, {"train/loss": 1.0})
    run.log("too late")
    until(lambda: lost(run))
    run.close()
    assert contents(again.path) == before
    again.lock()  # nor is it kept busy
    again.status(state="finished")
    again.close()


@pytest.mark.parametrize("away", [delete, move, lead_elsewhere])
def test_a_folder_that_is_gone_is_noticed_within_a_heartbeat_and_never_made_again(
    make_run: MakeRun, away: Callable[[Path], None]
) -> None:
    run = training(make_run)
    away(run.path)
    until(lambda: lost(run))
    run.close()
    assert not run.path.is_dir() or list(run.path.iterdir()) == []
    if away is move:
        assert read_status(run.path.with_name("elsewhere")).state == "running"
        RunWriter.reopen(run.path.with_name("elsewhere")).close()


def test_the_folder_of_runs_moved_as_a_whole_is_noticed_too(make_run: MakeRun) -> None:
    run = training(make_run)
    run.path.parent.rename(run.path.parent.with_name("renamed"))
    until(lambda: lost(run))
    run.close()
    assert not run.path.parent.exists()


def test_a_run_moved_to_another_disk_behind_a_link_goes_on(make_run: MakeRun) -> None:
    run = training(make_run)
    there = run.path.parent.with_name("another-disk")
    run.path.rename(there)
    run.path.symlink_to(there)
    run.check()
    run.metrics(2, 0.2, 0.2, {"train/loss": 1.0})
    run.status(state="finished")
    run.close()
    assert read_status(there).state == "finished"
    assert len((there / "metrics.jsonl").read_bytes().splitlines()) == 2


def test_a_deleted_lock_lets_nobody_else_in(make_run: MakeRun) -> None:
    run = training(make_run)
    (run.path / "train.lock").unlink()
    with pytest.raises(RunBusyError):
        RunWriter.reopen(run.path).lock()
    until(lambda: (run.path / "train.lock").exists() and run._lock.stands())
    assert not lost(run)


def test_a_run_that_another_took_over_is_given_up(make_run: MakeRun) -> None:
    """As after a machine slept for long on a file system without locks."""
    run = training(make_run)
    status = read_status(run.path)
    other = RunWriter.reopen(run.path)
    other._lock.process, other._status = "another", status
    other.status(state="running", step=99)
    other.flush()
    until(lambda: lost(run))
    run.close()
    assert read_status(run.path).process == "another"


def test_one_name_is_given_once_however_many_ask_at_the_same_instant(tmp_path: Path) -> None:
    made: list[RunWriter] = []
    refused: list[str] = []
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        try:
            made.append(RunWriter.create(tmp_path, "digits", PRESET, {}, "one"))
        except RunError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(refused) == 7
    assert all("already exists" in text for text in refused)
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_a_run_appears_whole_and_a_killed_start_leaves_nothing(tmp_path: Path) -> None:
    program = """
    import os, sys
    from pathlib import Path
    from tui_latent.runs import new_run, writer
    new_run.replace_file = lambda *_, **__: os.kill(os.getpid(), 9)
    writer.RunWriter.create(Path(sys.argv[1]), "digits", {}, {}, "one")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], check=False)
    assert not (tmp_path / "one").exists()
    assert len(list(tmp_path.iterdir())) == 1
    RunWriter.create(tmp_path, "digits", PRESET, {}, "one")
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


UNMOUNTED = """
    import os, shutil, subprocess, sys, time
    from pathlib import Path
    from tui_latent.runs.writer import RunWriter
    from tui_latent.runs.status import read_status

    def mount(*words):
        subprocess.run(["mount", *words], check=True)

    base = Path(sys.argv[1])
    runs = base / sys.argv[2]
    disk, copy = base / "disk", base / "copy"
    disk.mkdir(), copy.mkdir()
    mount("-t", "tmpfs", "none", str(disk))
    run = RunWriter.create(runs, "digits", {}, {}, "mine")
    run.lock()
    run.status(state="running")
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    shutil.copytree(disk, copy, dirs_exist_ok=True)
    subprocess.run(["umount", "-l", str(disk)], check=True)
    if sys.argv[3] == "gone":
        disk.rmdir()
    for _ in range(3):
        try:
            run.check()
        except OSError as error:
            print("waits:", error)
        time.sleep(0.5)
    assert not run.path.exists()
    disk.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "none", str(disk))
    shutil.copytree(copy, disk, dirs_exist_ok=True)
    run.check()
    run.metrics(2, 0.1, 0.1, {"train/loss": 1.0})
    run.status(state="finished")
    run.close()
    print(read_status(run.path).state, len((run.path / "metrics.jsonl").read_bytes().splitlines()))
"""


@pytest.mark.parametrize("runs", ["disk", "disk/runs"])
@pytest.mark.parametrize("point", ["stays", "gone"])
def test_a_disk_that_is_unmounted_is_waited_for_and_known_again(
    tmp_path: Path, runs: str, point: str
) -> None:
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a disk of his own")
    command = ["unshare", "--mount", sys.executable, "-c", textwrap.dedent(UNMOUNTED)]
    done = subprocess.run(
        [*command, str(tmp_path), runs, point], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("waits: [Errno 19] its disk is not mounted") == 3
    assert done.stdout.splitlines()[-1] == "finished 2"


def test_a_run_in_another_container_is_live_stops_when_asked_and_dies_with_it(
    make_run: MakeRun,
) -> None:
    run = make_run(name="mine")
    run.close()
    program = """
    import sys, time
    from pathlib import Path
    from tui_latent.runs.control import read_request
    from tui_latent.runs.writer import RunWriter
    path = Path(sys.argv[1])
    run = RunWriter.reopen(path)
    run.lock()
    run.status(state="running")
    print("ready", flush=True)
    while read_request(path).state != "stop":
        time.sleep(0.05)
    run.status(state="stopped")
    run.close()
    """
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody make a pid namespace")
    command += [sys.executable, "-c", textwrap.dedent(program), str(run.path)]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    from tui_latent.runs.control import request
    from tui_latent.runs.run_list import delete_run, list_runs

    process = start()
    assert read_status(run.path).pid == 1  # a number that means another process here
    (summary,) = list_runs(run.path.parent)
    assert summary.status.state == "running"
    with pytest.raises(RunBusyError):
        RunWriter.reopen(run.path).lock()
    with pytest.raises(RunBusyError):
        delete_run(run.path)
    request(run.path, state="stop")
    process.communicate()
    assert read_status(run.path).state == "stopped"
    request(run.path, state="run")
    process = start()
    process.kill()
    process.communicate()
    again = RunWriter.reopen(run.path)
    again.lock()  # its lock is free and its heart still: nobody has to wait for half a minute
    again.close()
