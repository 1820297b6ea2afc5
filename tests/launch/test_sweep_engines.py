"""Sweeps on their engines: several runs at a time, killed in the middle, searched, on clusters."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from tests.launch.test_sweep import runs_in, tiny
from tests.waiting import patience, until
from tui_latent.cli.main import main
from tui_latent.launch.sweep import on_ray
from tui_latent.launch.sweep.engine import Ended, EngineError
from tui_latent.launch.sweep.local import LocalEngine, roomiest
from tui_latent.runs.control import read_request
from tui_latent.runs.new_run import make_run_folder
from tui_latent.runs.process import HOST
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import Status
from tui_latent.runs.status import readable_status, write_status
from tui_latent.runs.sweep_folder import read_sweep
from tui_latent.runs.writer import RunWriter

LONG = ["--set", "train.epochs=3000", "--set", "train.checkpoint_seconds=1"]


def swept(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["sweep", tiny(folder), *words, "--runs", str(folder / "runs")])


def started(folder: Path, *words: str, own_group: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tui_latent", "sweep", tiny(folder), *words),
            *("--runs", str(folder / "runs")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0 if own_group else None,
    )


@pytest.fixture
def background() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end with the test, and what they started."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def training(folder: Path) -> list[Path]:
    """Return the runs that have trained for some steps and have a checkpoint."""
    found = [path for path in runs_in(folder / "runs") if readable_status(path).pid]
    return [path for path in found if (path / "checkpoints" / "last.json").exists()]


def last_step(run: Path) -> int:
    """Return the step of a run's newest record."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return max((json.loads(line)["step"] for line in lines if line.endswith("}")), default=0)


def test_seeds_are_an_axis_and_can_be_added(tmp_path: Path) -> None:
    first = swept(tmp_path, "--grid", "method.latent_dim=2,3", "--jobs", "2")
    assert first.exit_code == 0, first.output
    other = swept(tmp_path, "--grid", "method.latent_dim=2", "--seeds", "2")
    assert other.exit_code == 2 and "varies method.latent_dim, not" in other.output
    again = swept(tmp_path, "--grid", "method.latent_dim=2,3,4", "--jobs", "2", "--json")
    assert again.exit_code == 0, again.output
    told = json.loads(again.output.splitlines()[-1])
    assert [row["set"]["method.latent_dim"] for row in told["runs"]] == [2, 3, 4]
    assert [run.name for run in read_sweep(Path(told["path"])).runs] == [
        f"latent_dim_{dim}" for dim in (2, 3, 4)
    ]


def test_random_draws_are_the_same_again_and_go_on(tmp_path: Path) -> None:
    words = ["--grid", "train.lr=log:1e-4..1e-1", "--grid", "method.latent_dim=2..4"]
    few = swept(tmp_path, *words, "--random", "2", "--json")
    more = swept(tmp_path, *words, "--random", "3", "--json")
    assert few.exit_code == more.exit_code == 0, few.output + more.output
    first, second = (json.loads(r.output.splitlines()[-1])["runs"] for r in (few, more))
    assert [row["set"] for row in second][:2] == [row["set"] for row in first]
    rates = [row["set"]["train.lr"] for row in second]
    assert len(set(rates)) == 3 and all(1e-4 <= rate <= 1e-1 for rate in rates)
    assert second[0]["seconds"] == first[0]["seconds"], "it was kept"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing is varied"),
        (["--grid", "train.lr=1e-4..1e-1"], "is a range (0.0001..0.1): list its values"),
        (["--grid", "train.lr=log:0..1", "--random", "2"], "must begin above 0"),
        (["--grid", "train.lr=2..1", "--random", "2"], "the range is empty"),
        (["--grid", "train.rate=1,2"], "train.rate"),
        (["--grid", "train.seed=1,2", "--seeds", "2"], "is set twice"),
        (["--grid", "train.lr=1,2", "--random", "2", "--search", "optuna"], "exclude each other"),
        (["--grid", "train.lr=1,2", "--search", "optuna"], "needs one of --maximise"),
        (["--grid", "train.lr=1,2", "--maximise", "val/knn_20"], "belong to --search"),
        (["--grid", "train.lr=1,2", "--address", "a:1"], "belongs to --engine ray"),
        (["--grid", "train.lr=1,2", "--slurm", "time=3"], "belongs to --engine slurm"),
        (["--grid", "train.lr=1,2", "--name", "a/b"], "cannot name a run"),
    ],
    ids=str,
)
def test_wrong_words_are_a_sentence_before_anything_starts(
    words: list[str], said: str, tmp_path: Path
) -> None:
    result = swept(tmp_path, *words)
    assert result.exit_code == 2 and said in result.output, result.output
    assert not (tmp_path / "runs").exists()


def test_a_file_in_the_place_of_the_folder_of_runs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    result = swept(tmp_path, "--grid", "method.latent_dim=2,3")
    assert result.exit_code == 2
    assert f"{tmp_path / 'runs'}: cannot create a sweep there" in result.output


def test_a_preset_that_has_changed_is_refused(tmp_path: Path) -> None:
    assert swept(tmp_path, "--grid", "method.latent_dim=2").exit_code == 0
    words = ["--grid", "method.latent_dim=3", "--set", "train.epochs=2"]
    changed = swept(tmp_path, *words)
    assert changed.exit_code == 2
    assert "has changed since this sweep began (train.epochs 1 there, 2 here" in changed.output
    assert len(runs_in(tmp_path / "runs")) == 1
    changes = {"epochs": 3, "lr": 0.5, "batch_size": 16, "weight_decay": 0.2, "patience": 4}
    sets = [word for key, value in changes.items() for word in ("--set", f"train.{key}={value}")]
    another = swept(tmp_path, "--grid", "method.latent_dim=3", *sets)
    assert "and 2 more): use another --name" in another.output, "a sentence, not a list"


def test_a_killed_run_is_tried_again_and_a_second_sweep_is_refused(
    tmp_path: Path, background: list[subprocess.Popen[str]]
) -> None:
    words = ["--grid", "train.seed=1,2", "--jobs", "2", *LONG]
    sweep = started(tmp_path, *words)
    background.append(sweep)
    until(lambda: len(training(tmp_path)) == 2, 120)
    one, two = training(tmp_path)
    busy = swept(tmp_path, *words)
    assert busy.exit_code == 1
    stop = shlex.split(busy.output.partition("(tui-latent ")[2].partition(")")[0])
    until(lambda: (readable_status(one).checkpoint_step or 0) > 2)
    before = readable_status(one).pid
    os.kill(before, signal.SIGKILL)
    step = last_step(one)
    until(lambda: readable_status(one).pid not in (before, 0) and last_step(one) > step, 60)
    result = CliRunner().invoke(main, stop)
    assert result.exit_code == 0, result.output
    told, _ = sweep.communicate(timeout=patience(60))
    assert sweep.returncode == 130 and "run the same command again" in told
    states = [readable_status(path).state for path in (one, two)]
    assert states == ["stopped", "stopped"]
    log = (one / "train.log").read_text()
    assert log.count(" step 2: ") == 1, "it went on from its checkpoint"


def test_runs_stop_and_save_when_the_sweep_is_killed(
    tmp_path: Path, background: list[subprocess.Popen[str]]
) -> None:
    sweep = started(tmp_path, "--grid", "train.seed=1,2", "--jobs", "2", *LONG)
    background.append(sweep)
    until(lambda: len(training(tmp_path)) == 2, 120)
    runs = training(tmp_path)
    processes = [readable_status(path).pid for path in runs]
    sweep.kill()
    until(lambda: not any(map(psutil.pid_exists, processes)), 60)
    assert [readable_status(path).state for path in runs] == ["stopped", "stopped"]
    assert readable_status(tmp_path / "runs" / "sweep-tiny").state == "running"
    listed = CliRunner().invoke(main, ["runs", "--runs", str(tmp_path / "runs")])
    assert listed.output.startswith("interrupted")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_in_the_first_seconds_stops_the_sweep(
    number: signal.Signals, tmp_path: Path, background: list[subprocess.Popen[str]]
) -> None:
    """It reaches the process that imports torch for all runs, too."""
    sweep = started(tmp_path, "--grid", "train.seed=1,2", *LONG, own_group=True)
    background.append(sweep)

    def forkserver() -> bool:
        children = psutil.Process(sweep.pid).children()
        return any("forkserver" in " ".join(child.cmdline()) for child in children)

    until(forkserver, 120)
    os.killpg(sweep.pid, number)
    told, _ = sweep.communicate(timeout=patience(60))
    assert sweep.returncode == 130 and "run the same command again" in told
    assert "Traceback" not in told
    assert readable_status(tmp_path / "runs" / "sweep-tiny").state == "stopped"


def test_gpus_are_shared_out_by_the_memory_that_is_free_for_each_run() -> None:
    assert roomiest({0: 60, 1: 80}, {}) == 1
    assert roomiest({0: 60, 1: 80}, {1: 1}) == 0
    assert roomiest({0: 60, 1: 80}, {0: 1, 1: 1}) == 1
    assert roomiest({0: 80, 1: 80}, {0: 0, 1: 0}) == 0


def test_a_search_finds_the_better_values_and_goes_on(tmp_path: Path) -> None:
    pytest.importorskip(
        "optuna", reason="Optuna is not installed: pip install 'tui-latent[optuna]'"
    )
    words = ["--grid", "method.latent_dim=2..3", "--search", "optuna", "--maximise", "val/knn_20"]
    first = swept(tmp_path, *words, "--trials", "1", "--json")
    assert first.exit_code == 0, first.output
    second = swept(tmp_path, *words, "--trials", "6", "--json")
    assert second.exit_code == 0, second.output
    rows = json.loads(second.output.splitlines()[-1])["runs"]
    # There are two different trainings, so the search ends there instead of training them again.
    assert sorted(row["set"]["method.latent_dim"] for row in rows) == [2, 3]
    (sweep,) = (tmp_path / "runs").iterdir()
    assert (sweep / "optuna.journal").stat().st_size > 0


def test_a_search_for_what_no_run_records_is_refused(tmp_path: Path) -> None:
    pytest.importorskip(
        "optuna", reason="Optuna is not installed: pip install 'tui-latent[optuna]'"
    )
    words = ["--grid", "train.lr=0.1,0.2", "--search", "optuna", "--maximise", "val/knn_2O"]
    result = swept(tmp_path, *words)
    assert result.exit_code == 2 and "did you mean 'val/knn_20'" in result.output


def test_without_the_packages_the_command_to_install_them_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("optuna", "ray", "submitit"):
        monkeypatch.setitem(sys.modules, package, None)
    grid = ["--grid", "train.lr=0.1,0.2"]
    search = ["--search", "optuna", "--maximise", "val/knn_20"]
    for words, extra in (
        (search, "optuna"),
        (["--engine", "ray"], "ray"),
        (["--engine", "slurm"], "slurm"),
    ):
        result = swept(tmp_path, *grid, *words)
        assert result.exit_code == 2 and f"pip install 'tui-latent[{extra}]'" in result.output


def test_slurm_jobs_train_and_a_cluster_that_is_not_there_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitit = pytest.importorskip(
        "submitit", reason="submitit is not installed: pip install 'tui-latent[slurm]'"
    )
    from tui_latent.launch.sweep.on_slurm import SlurmEngine, slurm_executor

    with pytest.raises(EngineError, match="sbatch is not on this machine"):
        slurm_executor(tmp_path, [], None)
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(EngineError, match="srun is not on this machine"):
        slurm_executor(tmp_path, [], None)
    executor = submitit.LocalExecutor(folder=str(tmp_path / "jobs"))
    executor.update_parameters(timeout_min=10)
    results = conducted(tmp_path, SlurmEngine(executor))
    assert [each.state for each in results] == ["finished", "finished"]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        *(("90", 90), ("45:30", 46), ("0:30", 1), ("2:30:00", 150), ("0:00:59", 1)),
        *(("1-02:00:00", 1560), ("1-2:30", 1590), ("2-0", 2880)),
    ],
)
def test_times_are_slurms(text: str, minutes: int) -> None:
    from tui_latent.launch.sweep.on_slurm import _minutes

    assert _minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "0", "0:00", "soon", "-5", "1:2:3:4", "1-2:3:4:5", "1.5"])
def test_a_time_that_slurm_does_not_know_or_that_never_ends_is_refused(text: str) -> None:
    from tui_latent.launch.sweep.on_slurm import _minutes

    with pytest.raises(EngineError, match="write minutes, or hours:minutes:seconds, above 0"):
        _minutes(text)


def test_a_job_that_someone_cancels_is_not_submitted_again(tmp_path: Path) -> None:
    """`scancel` of an array that waits, as the accounting of Slurm tells it."""
    from tui_latent.launch.sweep.on_slurm import SlurmEngine

    class Cancelled:
        job_id, state = "17_1", "CANCELLED by 1000"

        def done(self) -> bool:
            return True

        def exception(self) -> Exception:
            return RuntimeError("the job has no result")

    class Cluster:
        submitted = 0

        def submit(self, _work: object) -> Cancelled:
            self.submitted += 1
            return Cancelled()

        def submit_array(self, works: Sequence[object]) -> list[Cancelled]:
            return [self.submit(work) for work in works]

    cluster = Cluster()
    results = conducted(tmp_path, SlurmEngine(cluster))
    assert cluster.submitted == 2
    assert [each.state for each in results] == ["interrupted", "interrupted"]
    assert "its job 17_1 was cancelled" in str(results[0].result["error"])


def test_a_job_that_is_cut_off_stops_its_run_first(tmp_path: Path) -> None:
    pytest.importorskip(
        "submitit", reason="submitit is not installed: pip install 'tui-latent[slurm]'"
    )
    from tui_latent.launch.sweep.on_slurm import TrainJob

    writer = RunWriter.reopen(make_run_folder(tmp_path, "digits", {}, {}, None))
    writer.lock()
    writer.status(state="running")
    job = TrainJob(writer.path, [])

    def train() -> None:
        until(lambda: read_request(writer.path).state == "stop")
        writer.status(state="stopped")

    trainer = threading.Thread(target=train)
    trainer.start()
    assert job.checkpoint() is not None, "it goes on later"
    assert readable_status(writer.path).state == "stopped", "before the job is queued again"
    trainer.join()
    writer.status(state="running")
    assert job.checkpoint() is None, "someone has asked it to stop, and it must not go on"
    writer.close()


@pytest.mark.slow
def test_a_job_at_its_time_limit_is_queued_again_and_goes_on(tmp_path: Path) -> None:
    submitit = pytest.importorskip(
        "submitit", reason="submitit is not installed: pip install 'tui-latent[slurm]'"
    )
    from tui_latent.launch.sweep.on_slurm import SlurmEngine

    executor = submitit.LocalExecutor(folder=str(tmp_path / "jobs"))
    executor.update_parameters(timeout_min=30)
    runs = [tmp_path / "runs" / "s" / f"seed_{seed}" for seed in (1, 2)]
    changes = {"train.epochs": 400, "train.eval_every": 10_000, "train.checkpoint_seconds": 600}

    def cut_off() -> None:
        until(lambda: readable_status(runs[0]).step > 3, 120)
        os.kill(readable_status(runs[0]).pid, signal.SIGUSR2)  # as before the time limit

    limit = threading.Thread(target=cut_off)
    limit.start()
    results = conducted(tmp_path, SlurmEngine(executor), changes)
    limit.join()
    assert [each.state for each in results] == ["finished", "finished"]
    first, second = (RunReader(run).refresh() for run in runs)
    (resumed,) = (event for event in first.events if event.kind == "resume")
    assert 0 < resumed.step < first.status.step, "it saved, and went on from there"
    assert not [event for event in second.events if event.kind == "resume"]
    assert len(list((tmp_path / "jobs").glob("*_submitted.pkl"))) == 2, "the sweep sent two jobs"


def test_an_address_where_no_cluster_is_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'tui-latent[ray]'")
    grid = ["--grid", "train.seed=1,2", "--engine", "ray"]
    nobody = swept(tmp_path, *grid, "--address", "127.0.0.1:1")
    assert nobody.exit_code == 2 and "no Ray cluster answers at 127.0.0.1:1" in nobody.output
    odd = swept(tmp_path, *grid, "--address", "somewhere")
    assert odd.exit_code == 2 and "write host:port" in odd.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n"], ids=["mute", "web"])
def test_what_is_no_cluster_is_told_from_one_within_seconds(
    reply: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'tui-latent[ray]'")
    monkeypatch.setattr(on_ray, "_REACH", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listens:
        address = f"127.0.0.1:{listens.getsockname()[1]}"

        def serve() -> None:
            connection, _ = listens.accept()
            connection.sendall(reply)
            with suppress(OSError):
                while connection.recv(100):
                    pass

        threading.Thread(target=serve, daemon=True).start()
        grid = ["--grid", "train.seed=1,2", "--engine", "ray", "--address", address]
        found = swept(tmp_path, *grid)
    assert found.exit_code == 2 and f"what listens at {address} is not a Ray" in found.output


def test_a_cluster_that_does_not_start_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine, Ray gives up after 30 seconds."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'tui-latent[ray]'")

    def init(**_options: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    found = swept(tmp_path, "--grid", "train.seed=1,2", "--engine", "ray")
    assert found.exit_code == 2 and "timed out during startup" in found.output
    assert "Run the same command again" in found.output


def conducted(folder: Path, engine: Any, changes: Mapping[str, object] | None = None) -> Any:
    """Run a sweep of two seeds on an engine; `changes` are settings of its runs."""
    from tui_latent.cli.sweep_progress import display
    from tui_latent.launch.sweep.conduct import conduct
    from tui_latent.launch.sweep.folder import SweepFolder
    from tui_latent.launch.sweep.plan import Planner, plan
    from tui_latent.launch.sweep.sources import ListedTrials

    preset = tiny(folder)
    planner = Planner(preset, changes or {}, [("train.seed", [1, 2])], 1)
    made = SweepFolder(folder / "runs", "s", preset, "", planner.base, 1)
    made.make(planner.grid, None)
    trials = plan(preset, changes or {}, planner.grid).trials
    with display(sys.stderr, made.path) as watcher:
        return conduct(made, preset, lambda f: ListedTrials(f, trials), engine, watcher)


class FakeEngine:
    """Trains one run at a time, at once."""

    def __init__(self) -> None:
        self.trained: list[Path] = []
        self._done: list[Path] = []

    def room(self) -> int:
        return 1 - len(self._done)

    def start(self, paths: Sequence[Path]) -> None:
        for path in paths:
            writer = RunWriter.reopen(path)
            writer.status(state="finished", host=HOST, pid=0)
            writer.close()
            self.trained.append(path)
            self._done.append(path)

    def ended(self) -> list[Ended]:
        done, self._done = self._done, []
        return [Ended(path) for path in done]

    def close(self) -> None:
        pass


def test_a_run_that_another_host_gave_up_is_trained(tmp_path: Path) -> None:
    """The process of a sweep that was killed seems to live until its heartbeat has stopped."""
    engine = FakeEngine()
    conducted(tmp_path, engine)
    run = engine.trained.pop()
    there = Status(state="running", pid=7, host="another", heartbeat=time.time())
    write_status(run, there)
    heard = threading.Timer(2, lambda: write_status(run, replace(there, heartbeat=1.0)))
    heard.start()
    results = conducted(tmp_path, engine)
    heard.join()
    assert engine.trained[1:] == [run]
    assert [each.state for each in results] == ["finished", "finished"]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    results = conducted(tmp_path, LocalEngine(2))
    assert [each.state for each in results] == ["finished", "finished"]
    left = [path.name for path in (tmp_path / "runs").rglob("*") if path.name.endswith(".tmp")]
    assert left == [] and not list((tmp_path / "runs").glob(".tui-latent-*"))
