"""Deleting a run whole or not at all, and what killed processes leave behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runs.conftest import PRESET, MakeRun
from tui_latent.runs import run_list as runs_module
from tui_latent.runs.atomic_files import temporary_beside
from tui_latent.runs.run_list import delete_run, find_run, list_runs
from tui_latent.runs.schema import RunError
from tui_latent.runs.staging import remove_whole
from tui_latent.runs.writer import RunWriter

NOBODY = 65534


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def ended(runs: Path, name: str = "mine") -> Path:
    run = RunWriter.create(runs, "digits", PRESET, {}, name)
    run.lock()
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    run.status(state="finished")
    run.close()
    for part in ("checkpoints/step-1.pt", "latents/a", "latents/deep/b", "reports/c"):
        (run.path / part).parent.mkdir(parents=True, exist_ok=True)
        (run.path / part).write_text(part)
    (run.path / "reports" / "link").symlink_to("c")
    return run.path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder in which every user may make files."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Take the rights of root away, where the tests have them."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        yield
        os.seteuid(0)
    else:
        yield


def as_owner(change: Callable[[int], None], mode: int) -> None:
    """Change a mode as who made the file, in a test that runs `as_nobody`."""
    own = os.geteuid()
    os.seteuid(os.getuid())
    change(mode)
    os.seteuid(own)


@pytest.mark.parametrize("part", ["latents", "latents/deep", "checkpoints", "."])
def test_a_run_of_which_a_part_cannot_be_removed_stays_as_it_was(
    open_folder: Path, part: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("as_nobody")
    path = ended(open_folder)
    (path / part).chmod(0o555)
    before = contents(path)
    with pytest.raises(RunError, match=rf"not deleted: {path}.*Permission denied: give yourself"):
        delete_run(path)
    assert contents(path) == before
    (path / part).chmod(0o755)
    (run,) = list_runs(open_folder)
    assert (run.status.state, run.problem) == ("finished", "")
    assert [p.name for p in open_folder.iterdir()] == ["mine"]
    delete_run(path)
    assert list(open_folder.iterdir()) == []


@pytest.mark.parametrize("refused", ["step-1.pt", "b", "c"])
def test_a_file_that_the_disk_does_not_let_go_leaves_a_run_that_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    path = ended(tmp_path)
    real = Path.unlink

    def unlink(file: Path, missing_ok: bool = False) -> None:
        if file.name == refused:
            raise OSError(5, "Input/output error", str(file))
        real(file, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(RunError, match=rf"mine/\S*{refused}: Input/output error"):
        delete_run(path)
    (run,) = list_runs(tmp_path)
    assert (run.name, run.status.state, run.problem) == ("mine", "finished", "")
    assert next(path.rglob(refused)).is_file()
    monkeypatch.undo()
    delete_run(path)
    assert list(tmp_path.iterdir()) == []


def test_a_mount_within_a_run_keeps_it_whole(tmp_path: Path) -> None:
    program = """
    import subprocess, sys
    from pathlib import Path
    from tui_latent.runs.run_list import delete_run
    from tui_latent.runs.schema import RunError
    path = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "none", str(path / "latents/deep")], check=True)
    try:
        delete_run(path)
    except RunError as error:
        print(error)
    """
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a disk of his own")
    path = ended(tmp_path)
    before = contents(path)
    command = ["unshare", "--mount", sys.executable, "-c", textwrap.dedent(program), str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "latents/deep: " in told and "busy" in told
    assert contents(path) == before


def test_a_deletion_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    path = ended(tmp_path)
    program = """
    import os, sys
    from pathlib import Path
    from tui_latent.runs.run_list import delete_run
    Path.unlink = lambda *_, **__: os.kill(os.getpid(), 9)
    delete_run(Path(sys.argv[1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    assert subprocess.run(command, check=False).returncode == -9
    assert list_runs(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 1
    delete_run(ended(tmp_path, "another"))
    assert list(tmp_path.iterdir()) == []


def test_a_deletion_under_way_is_not_touched_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ended(tmp_path, "first"), ended(tmp_path, "second")

    def meanwhile(path: Path, staging: Path, last: tuple[str, ...]) -> None:
        if path == first:
            delete_run(second)
            assert staging.is_dir()
        remove_whole(path, staging, last)

    monkeypatch.setattr(runs_module, "remove_whole", meanwhile)
    delete_run(first)
    assert list(tmp_path.iterdir()) == []


def test_what_killed_writers_left_is_gone_once_the_run_is_taken_up(make_run: MakeRun) -> None:
    run = make_run(name="mine")
    run.close()
    program = """
    import os, sys
    from pathlib import Path
    from tui_latent.runs.atomic_files import temporary_beside
    for name in sys.argv[1:]:
        Path(name).parent.mkdir(exist_ok=True)
        temporary_beside(Path(name)).write_text("half")
    """
    names = ["status.json", "latents/step-1.npz", "evaluations/step-1.json", "reports/a.png"]
    files = [str(run.path / name) for name in names]
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), *files], check=True)
    (run.path / "checkpoints").mkdir()
    (run.path / "checkpoints" / "step-000000001.pt.tmp").write_text("half")
    unknown = run.path / "reports" / ".b.png.4711-8.tmp"
    unknown.write_text("perhaps of a process in another container")
    writing = temporary_beside(run.path / "evaluations" / "step-2.json")
    writing.write_text("of this process, which lives")
    again = RunWriter.reopen(run.path)
    again.lock()
    left = [p for p in run.path.rglob("*.tmp")]
    assert sorted(left) == sorted([unknown, writing])
    long_ago = time.time() - 7200
    os.utime(unknown, (long_ago, long_ago))
    again.close()
    assert [p for p in run.path.rglob("*.tmp")] == [writing]


def test_another_users_runs_are_sentences_and_hide_no_others(
    open_folder: Path, request: pytest.FixtureRequest
) -> None:
    closed, torn, mine = (ended(open_folder, name) for name in ("closed", "torn", "mine"))
    if os.geteuid() == 0:
        for path in open_folder.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o777 if path.is_dir() else 0o666)
    closed.chmod(0o000)
    (torn / "status.json").chmod(0o000)
    (torn / "control.json").chmod(0o000)
    (torn / "train.lock").chmod(0o000)
    request.getfixturevalue("as_nobody")
    problems = {run.name: run.problem for run in list_runs(open_folder)}
    assert problems.pop("mine") == ""
    assert all("Permission denied" in text for text in problems.values()) and len(problems) == 2
    assert find_run(open_folder, "mi") == mine
    for use in (RunWriter.reopen, delete_run):
        with pytest.raises(RunError, match="Permission denied"):
            use(torn)
    from tui_latent.runs.control import request as ask

    with pytest.raises(RunError, match="Permission denied"):
        ask(torn, lr_factor=0.5)
    as_owner((torn / "status.json").chmod, 0o666)
    with pytest.raises(RunError, match=r"train\.lock: cannot be written: Permission denied"):
        RunWriter.reopen(torn).lock()
    as_owner(closed.chmod, 0o755)
