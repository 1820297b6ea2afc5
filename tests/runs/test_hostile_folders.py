"""Folders of runs with what nobody wants in them: one line each, and the others as if alone."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runs.conftest import PRESET
from tui_latent.launch.sweep.folder import SweepFolder
from tui_latent.launch.sweep.plan import Planner
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import find_run, list_runs
from tui_latent.runs.schema import RunError, UnreadableError
from tui_latent.runs.writer import RunWriter


def finished_run(runs: Path, name: str) -> Path:
    writer = RunWriter.create(runs, "digits", PRESET, {}, name)
    writer.metrics(10, 1.0, 1.0, {"train/loss": 0.5})
    writer.status(state="finished")
    writer.close()
    return writer.path


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of two runs that can be read, and one that nobody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder, "runs")
        for name in ("a", "b", "closed"):
            finished_run(runs, name)
        Path(runs, "link").symlink_to(runs / "closed" / "inside")
        (runs / "closed").chmod(0)
        yield runs
        (runs / "closed").chmod(0o755)


def without_special_rights() -> None:
    """Give up root's right to enter everything, in a process about to become another program."""
    if os.geteuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP


def told(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `tui-latent` as a user whom modes hold off."""
    return subprocess.run(
        [sys.executable, "-m", "tui_latent", *arguments],
        preexec_fn=without_special_rights,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_that_may_not_be_entered_is_one_line_and_the_others_are_listed(shared: Path) -> None:
    listed = told("runs", "--runs", str(shared))
    assert listed.returncode == 0, listed.stderr
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert "closed" in listed.stdout and "Permission denied" in lines["unreadable"]
    rows = json.loads(told("runs", "--json", "--runs", str(shared)).stdout)["runs"]
    problems = {row["run"]: row["problem"] for row in rows}
    assert problems["a"] == problems["b"] == ""
    assert "unreadable (Permission denied)" in problems["closed"]
    assert "unreadable" in problems["link"]


def test_latest_and_a_mistyped_name_pass_over_a_run_that_may_not_be_entered(shared: Path) -> None:
    asked = told("control", "latest", "stop", "--runs", str(shared))
    assert "b is finished" in asked.stderr
    mistyped = told("control", "bb", "stop", "--runs", str(shared))
    assert "no such run" in mistyped.stderr and "did you mean 'b'" in mistyped.stderr
    named = told("control", "closed", "stop", "--runs", str(shared))
    assert named.returncode == 2
    assert "closed: unreadable (Permission denied): give this user the right" in named.stderr


def test_a_comparison_goes_without_a_run_that_may_not_be_entered(shared: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        out = f"{folder}/out.png"
        compared = told("compare", "a", "closed", "b", "-o", out, "--runs", str(shared))
    assert compared.returncode == 0, compared.stderr
    assert "closed: unreadable" in compared.stderr
    assert "out.png" in compared.stdout


def test_a_sweep_tells_of_each_run_that_may_not_be_entered(tmp_path: Path) -> None:
    names = ["seed_1", "seed_2"]
    planner = Planner("digits-contrastive-2d", {}, [("train.seed", [1, 2])], 1)
    folder = SweepFolder(tmp_path, "s", "digits-contrastive-2d", "", planner.base, 1)
    folder.make(planner.grid, None)
    for name in names:
        finished_run(folder.path, name).chmod(0)
    folder.path.chmod(0o777)
    for file in folder.path.iterdir():
        if file.is_file():
            file.chmod(0o666)
    grid = ["sweep", "digits-contrastive-2d", "--grid", "train.seed=1,2", "--name", "s"]
    swept = told(*grid, "--runs", str(tmp_path))
    for name in names:
        (folder.path / name).chmod(0o755)
        assert f"{name}: unreadable (Permission denied)" in swept.stderr + swept.stdout
    assert swept.returncode == 1, swept.stderr
    table = swept.stdout.partition("seed ")[2]
    assert table.count(" unreadable ") == 2


def test_a_folder_of_runs_that_may_not_be_read_is_a_sentence(shared: Path) -> None:
    shared.chmod(0)
    listed = told("runs", "--runs", str(shared))
    assert (listed.returncode, "Permission denied" in listed.stderr) == (2, True)
    assert "Traceback" not in listed.stderr


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_folder(path: Path) -> None:
    path.mkdir()


def as_loop(path: Path) -> None:
    path.symlink_to(path.name)


def as_sparse_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(5 * 10**9)


def as_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


Make = Callable[[Path], None]
MAKES: list[Make] = [as_pipe, as_folder, as_loop, as_sparse_file, as_device]


def within(seconds: float, call: Callable[[], object]) -> None:
    """Check that something ends; a reader of a pipe would wait for ever."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waits"


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("name", ["status.json", "preset.toml"])
def test_a_run_with_what_is_no_file_is_one_line(tmp_path: Path, name: str, make: Make) -> None:
    finished_run(tmp_path, "good")
    odd = finished_run(tmp_path, "odd")
    (odd / name).unlink()
    make(odd / name)

    def look() -> None:
        problems = {run.name: run.problem for run in list_runs(tmp_path)}
        assert problems["good"] == "" and name in problems["odd"]
        assert find_run(tmp_path, "latest").name == "good"
        found.append(True)

    found: list[bool] = []
    within(60.0, look)
    assert found


@pytest.mark.parametrize("make", [as_pipe, as_folder, as_device])
@pytest.mark.parametrize("name", ["metrics.jsonl", "train.log"])
def test_a_run_whose_records_are_no_file_says_so(tmp_path: Path, name: str, make: Make) -> None:
    odd = finished_run(tmp_path, "odd")
    (odd / name).unlink(missing_ok=True)
    make(odd / name)

    def look() -> None:
        with pytest.raises(RunError, match=name):
            RunReader(odd).refresh()
        found.append(True)

    found: list[bool] = []
    within(60.0, look)
    assert found


@pytest.mark.parametrize("make", [as_pipe, as_folder, as_sparse_file, as_device])
def test_what_stands_for_curves_latents_or_requests_is_passed_over(
    tmp_path: Path, make: Make
) -> None:
    odd = finished_run(tmp_path, "odd")
    (odd / "latents").mkdir(exist_ok=True)
    (odd / "curves.npz").unlink(missing_ok=True)
    (odd / "control.json").unlink(missing_ok=True)
    for name in ("curves.npz", "control.json", "latents/step-000000010.npz"):
        make(odd / name)

    def look() -> None:
        snapshot = RunReader(odd).refresh()
        found.extend(snapshot.curves)
        assert "step-000000010.npz is damaged" in snapshot.problems[0]

    found: list[str] = []
    within(60.0, look)
    assert found == ["train/loss"]


@pytest.mark.parametrize(
    "status",
    [b"[]", b"1e999", b"9" * 5000, b'{"state": []}', b'{"state": "running", "step": 1e999}'],
)
def test_a_status_that_is_no_table_is_one_line(tmp_path: Path, status: bytes) -> None:
    (finished_run(tmp_path, "odd") / "status.json").write_bytes(status)
    (run,) = list_runs(tmp_path)
    assert "status.json is damaged" in run.problem


def test_files_links_and_names_of_no_text_are_told_apart(tmp_path: Path) -> None:
    finished_run(tmp_path, "good")
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    finished_run(tmp_path, "h").rename(os.fsdecode(os.fsencode(tmp_path) + b"/g\xe9"))
    names = [run.name for run in list_runs(tmp_path)]
    assert sorted(names) == ["good", "g\N{REPLACEMENT CHARACTER}"]
    with pytest.raises(RunError, match="several runs") as caught:
        find_run(tmp_path, "g")
    str(caught.value).encode()


def test_the_error_names_the_folder_and_the_remedy() -> None:
    error = UnreadableError(Path("runs/x"), PermissionError(13, "Permission denied"))
    assert str(error).startswith("runs/x: unreadable (Permission denied): give this user the right")
