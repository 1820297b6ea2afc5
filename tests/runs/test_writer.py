from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from tests.runs.conftest import PRESET, MakeRun
from tests.waiting import until
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunBusyError, RunError, Status
from tui_latent.runs.status import read_status, write_status
from tui_latent.runs.writer import RunWriter


def background(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python on `code`, in which `path` is its first argument."""
    head = "import sys, time\nfrom pathlib import Path\n"
    head += "from tui_latent.runs.writer import RunWriter\npath = Path(sys.argv[1])\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_run_is_named_by_time_and_preset_and_says_where_it_is_from(tmp_path: Path) -> None:
    runs = tmp_path / "deep" / "runs"
    run = RunWriter.create(runs, "digits-2d", PRESET, {"seed": 1, "versions": {"torch": "2"}})
    assert re.fullmatch(r"\d{8}-\d{6}-digits-2d", run.path.name)
    shot = RunReader(run.path).refresh()
    assert shot.preset == PRESET
    assert shot.provenance["preset"] == "digits-2d"
    assert shot.provenance["versions"] == {"torch": "2"}
    assert abs(shot.provenance["created"] - time.time()) < 60
    assert shot.status.state == "starting"


def test_runs_of_one_second_do_not_collide(make_run: MakeRun) -> None:
    assert len({make_run().path for _ in range(5)}) == 5


@pytest.mark.parametrize("preset", ["../mein preset [red]", "猫", "a" * 300])
def test_odd_preset_names_make_plain_folders(make_run: MakeRun, preset: str) -> None:
    run = make_run(preset=preset)
    assert re.fullmatch(r"\d{8}-\d{6}-[A-Za-z0-9._-]{1,80}", run.path.name)
    assert RunReader(run.path).refresh().provenance["preset"] == preset


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/tmp/x", "-x", ".x", "a b", "latest", "é", "a" * 101, "a\n"]
)
def test_a_name_that_cannot_be_one_is_refused(make_run: MakeRun, name: str) -> None:
    with pytest.raises(RunError, match="cannot name a run: use"):
        make_run(name=name)


def test_a_taken_name_is_refused_and_the_run_untouched(make_run: MakeRun) -> None:
    first = make_run(name="mine")
    first.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    with pytest.raises(RunError, match="choose another name"):
        make_run(name="mine")
    assert list(RunReader(first.path).refresh().curves) == ["train/loss"]


def test_a_place_where_no_run_can_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot create a run there"):
        RunWriter.create(tmp_path / "file" / "runs", "digits", {}, {})


def test_a_full_disk_leaves_no_part_of_a_new_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tui_latent.runs.new_run.replace_file", full)
    with pytest.raises(RunError, match="cannot create a run there: No space left"):
        RunWriter.create(tmp_path, "digits", PRESET, {})
    assert list(tmp_path.iterdir()) == []


def test_reopening_what_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run"):
        RunWriter.reopen(tmp_path)


def test_a_change_of_state_is_on_disk_at_once_and_the_rest_within_a_second(
    make_run: MakeRun,
) -> None:
    run = make_run()
    run.lock()
    run.status(state="running")
    assert read_status(run.path).state == "running"
    run.status(step=5)
    run.status(epoch=0.5)
    until(lambda: (read_status(run.path).step, read_status(run.path).epoch) == (5, 0.5))


def test_status_is_not_written_at_every_step(make_run: MakeRun) -> None:
    run = make_run()
    start = time.monotonic()
    run.status(state="running")
    seen = set()
    for step in range(1, 101):
        run.status(step=step)
        seen.add(read_status(run.path).step)
    assert len(seen) <= 1 + time.monotonic() - start
    run.close()
    assert read_status(run.path).step == 100


def test_an_unknown_field_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(TypeError, match="mood"):
        make_run().status(mood="good")


def test_the_heart_beats_while_the_trainer_is_busy_and_not_after(make_run: MakeRun) -> None:
    run = make_run()
    run.lock()
    run.status(state="paused")
    first = read_status(run.path).heartbeat
    until(lambda: read_status(run.path).heartbeat > first)
    run.status(state="stopped")
    run.close()
    assert not [t for t in threading.enumerate() if t.name == "run-heartbeat"]
    last = read_status(run.path)
    assert (last.state, last.pid) == ("stopped", os.getpid())


def test_closing_a_run_that_never_ended_calls_it_interrupted(make_run: MakeRun) -> None:
    run = make_run()
    run.lock()
    run.status(state="running")
    run.close()
    run.close()
    assert read_status(run.path).state == "interrupted"


def test_a_run_only_made_waits_to_be_started(make_run: MakeRun) -> None:
    run = make_run()
    run.close()
    assert RunReader(run.path).refresh().status.state == "starting"
    again = RunWriter.reopen(run.path)
    again.lock()
    again.close()


def test_the_list_of_runs_finds_loss_and_best_score_in_the_status(make_run: MakeRun) -> None:
    run = make_run()
    run.metrics(10, 1.0, 1.0, {"train/loss": 3.0, "val/knn_20": 0.8})
    run.metrics(20, 2.0, 2.0, {"val/knn_20": 0.9})
    run.metrics(30, 3.0, 3.0, {"train/loss": 1.0, "val/knn_20": math.nan})
    run.close()
    status = read_status(run.path)
    assert (status.best_knn_20, status.loss) == (0.9, 1.0)


def test_scores_of_a_life_that_was_replaced_are_not_the_best(make_run: MakeRun) -> None:
    run = make_run()
    for step, score in ((10, 0.5), (20, 0.6), (30, 0.99)):
        run.metrics(step, 1.0, 1.0, {"val/knn_20": score})
    run.close()
    again = RunWriter.reopen(run.path)
    again.metrics(15, 1.0, 1.0, {"train/loss": 1.0})
    again.metrics(20, 1.0, 1.0, {"val/knn_20": 0.7})
    again.close()
    assert read_status(run.path).best_knn_20 == 0.7
    assert RunReader(run.path).refresh().curves["val/knn_20"].best == 0.7


def test_metrics_are_one_json_object_a_line(make_run: MakeRun) -> None:
    run = make_run()
    run.metrics(10, 1.5, 2.5, {"train/loss": math.inf})
    run.metrics(20, 3.0, 5.0, {"train/loss": 1.0})
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {"step": 10, "epoch": 1.5, "time": 2.5, "train/loss": math.inf}
    assert len(lines) == 2


def test_the_log_is_plain_text_with_the_time_of_day(make_run: MakeRun) -> None:
    run = make_run()
    run.log("one\n")
    run.log("\x1b[31mtwo\x1b[0m\nthree \udcff [red]\tü")
    run.close()
    run.log("too late")
    lines = (run.path / "train.log").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert [line[9:] for line in lines] == ["one", "two", "three \\udcff [red]   ü"]


def test_threads_may_log_at_once(make_run: MakeRun) -> None:
    run = make_run()
    words = [f"{number} " * 200 for number in range(8)]

    def talk(word: str) -> None:
        for _ in range(50):
            run.log(word)

    threads = [threading.Thread(target=talk, args=(word,)) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [line[9:] for line in (run.path / "train.log").read_text().splitlines()]
    assert sorted(lines) == sorted(words * 50)


def test_a_run_in_training_cannot_be_trained_by_another(make_run: MakeRun) -> None:
    run = make_run(name="mine")
    run.lock()
    run.status(state="running")
    other = RunWriter.reopen(run.path)
    with pytest.raises(RunBusyError, match=rf"mine .*process {os.getpid()} .*stop it first"):
        other.lock()
    other.close()
    assert read_status(run.path).state == "running"
    run.close()
    free = RunWriter.reopen(run.path)
    free.lock()
    free.close()


@pytest.mark.slow
def test_a_run_trained_by_another_process_is_busy_until_it_dies(make_run: MakeRun) -> None:
    run = make_run()
    run.close()
    process = background(
        """
        writer = RunWriter.reopen(path)
        writer.lock()
        writer.status(state="running")
        print("ready", flush=True)
        time.sleep(600)
        """,
        run.path,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    reader = RunReader(run.path)
    with pytest.raises(RunBusyError, match=f"process {process.pid} "):
        RunWriter.reopen(run.path).lock()
    assert reader.refresh().status.state == "running"
    end(process)
    assert reader.refresh().status.state == "interrupted"
    again = RunWriter.reopen(run.path)
    again.lock()
    again.close()


def no_locks(*_: object) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_without_locks_the_status_says_whether_a_run_is_busy(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", no_locks)
    run = make_run()
    beating = Status(state="running", pid=1, host="another-host", heartbeat=time.time())
    write_status(run.path, beating)
    with pytest.raises(RunBusyError, match="another-host"):
        RunWriter.reopen(run.path).lock()
    write_status(run.path, Status(state="running", pid=1, host="another-host", heartbeat=1.0))
    free = RunWriter.reopen(run.path)
    free.lock()
    assert read_status(run.path).pid == os.getpid()
    free.close()


def test_locks_that_reach_this_host_only_do_not_hide_a_run_on_another(make_run: MakeRun) -> None:
    run = make_run()
    beating = Status(state="running", pid=1, host="another-host", heartbeat=time.time())
    write_status(run.path, beating)
    for _ in range(2):  # a lock left behind by the first would change the second's message
        with pytest.raises(RunBusyError, match="another-host"):
            RunWriter.reopen(run.path).lock()


def test_a_run_with_a_torn_status_can_be_taken_up_again(make_run: MakeRun) -> None:
    run = make_run()
    (run.path / "status.json").write_bytes(b'{"sta')
    again = RunWriter.reopen(run.path)
    again.lock()
    again.status(state="running", step=4)
    assert read_status(run.path).step == 4
    again.close()


def test_a_full_disk_neither_stops_the_heart_nor_keeps_the_lock(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    run.lock()
    beats = []

    def full(path: Path, content: bytes) -> None:
        beats.append(path)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tui_latent.runs.status.replace_small_file", full)
    until(lambda: len(beats) >= 2)
    with pytest.raises(OSError, match="No space"):
        run.close()
    monkeypatch.undo()
    again = RunWriter.reopen(run.path)
    again.lock()
    again.close()


WRITER = """
    import numpy as np
    from tui_latent.runs.schema import LatentMap
    writer = RunWriter.reopen(path)
    writer.lock()
    writer.status(state="running")
    step = int(sys.argv[2])
    rows = np.arange(2000)
    while True:
        step += 1
        writer.metrics(step, step / 100, step / 10, {"train/loss": 1.0 / step, "train/lr": 1e-3})
        writer.log(f"step {step}")
        writer.status(step=step)
        if step % 5 == 0:
            points = np.full((2000, 2), step, dtype=np.float32)
            writer.latent_map(LatentMap(step, points, rows, rows, ("a",)))
            print(step, flush=True)
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_a_run_that_reads_and_goes_on(
    make_run: MakeRun,
) -> None:
    run = make_run()
    run.close()
    start = 0
    for life in range(3):
        process = background(WRITER, run.path, start)
        assert process.stdout is not None
        for _ in range(8 + life):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        end(process)
        shot = RunReader(run.path).refresh()
        assert shot.status.state == "interrupted"
        loss = shot.curves["train/loss"]
        newest = int(loss.steps[-1])
        assert newest > start + 5 * (7 + life)
        assert loss.best == loss.last == 1.0 / newest
        assert loss.steps.tolist() == list(range(1, newest + 1))
        assert shot.log[-1].endswith((f"step {newest}", f"step {newest - 1}"))
        assert shot.map is not None and (shot.map.points == shot.map.step).all()
        missing = set(range(5, shot.map.step + 1, 5)) - set(shot.map_steps)
        assert len(missing) <= life  # where it was killed between metrics and map
        assert len(shot.problems) <= life
        start = newest
