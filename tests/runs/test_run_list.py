from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.runs.conftest import PRESET, MakeRun
from tui_latent.runs import run_list, run_summary
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.labels import change_labels
from tui_latent.runs.run_list import delete_run, find_run, list_runs
from tui_latent.runs.schema import RunBusyError, RunError, RunSummary, Status
from tui_latent.runs.status import write_status
from tui_latent.runs.writer import RunWriter


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def finish(run: RunWriter) -> Path:
    run.status(state="finished")
    run.close()
    return run.path


def test_runs_are_listed_newest_first_with_what_a_list_shows(runs: Path, make_run: MakeRun) -> None:
    names = [make_run().path.name for _ in range(3)] + [make_run(name="aaa").path.name]
    last = make_run(name="b", preset="mnist-2d")
    last.metrics(10, 1.0, 1.0, {"val/knn_20": 0.91, "train/loss": 0.5})
    finish(last)
    listed = list_runs(runs)
    assert [run.name for run in listed] == ["b", *reversed(names)]
    assert [run.preset for run in listed] == ["mnist-2d"] + ["digits-2d"] * 4
    assert (listed[0].best_knn_20, listed[0].loss) == (0.91, 0.5)
    assert (listed[0].status.state, listed[0].problem) == ("finished", "")
    assert abs(listed[0].created - time.time()) < 60


def test_a_slow_folder_is_shown_as_it_was_known_until_it_is_read(
    runs: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        finish(make_run(name=f"run-{number}"))
    monkeypatch.setattr(run_summary, "_SETTLED_AFTER", -1.0)
    known = list_runs(runs)
    monkeypatch.setattr(run_list, "_A_MOMENT", 0.0)
    monkeypatch.setattr(run_list, "_SLOW", -1.0)
    parts: list[list[RunSummary]] = []
    change_labels(runs / "run-3", notes="changed")
    found = list_runs(runs, on_part=parts.append)
    assert {len(part) for part in parts} == {40}
    assert [run.name for run in found] == [run.name for run in known]
    assert {run.name for run in found if run.labels.notes} == {"run-3"}


def test_a_creation_time_written_as_text_counts(runs: Path) -> None:
    for name, created in (("old", "2020-05-01T12:00:00+00:00"), ("odd", "once"), ("number", 5.0)):
        RunWriter.create(runs, "digits", PRESET, {"created": created}, name)
    created_times = {run.name: run.created for run in list_runs(runs)}
    assert created_times["old"] == 1588334400.0
    assert created_times["number"] == 5.0
    assert abs(created_times["odd"] - time.time()) < 60


def test_a_run_whose_process_is_gone_is_listed_as_interrupted(
    runs: Path, make_run: MakeRun
) -> None:
    run = make_run()
    write_status(run.path, Status(state="running", heartbeat=1.0))
    assert list_runs(runs)[0].status.state == "interrupted"


def test_broken_folders_are_listed_with_what_is_wrong(runs: Path, make_run: MakeRun) -> None:
    for name in ("good", "no status", "torn status", "no preset", "torn preset"):
        finish(make_run(name=name.replace(" ", "-")))
    (runs / "no-status" / "status.json").unlink()
    (runs / "torn-status" / "status.json").write_bytes(b"{")
    (runs / "no-preset" / "preset.toml").unlink()
    (runs / "torn-preset" / "preset.toml").write_bytes(b"[provenance\n")
    (runs / "empty").mkdir()
    for name in (".hidden", "lost+found"):
        (runs / name).mkdir()
    (runs / "file").touch()
    problems = {run.name: run.problem for run in list_runs(runs)}
    assert problems.pop("good") == ""
    assert "status.json is missing" in problems.pop("no-status")
    assert "status.json is damaged" in problems.pop("torn-status")
    assert "no preset.toml" in problems.pop("no-preset")
    assert "not a TOML file" in problems.pop("torn-preset")
    assert "no preset.toml" in problems.pop("empty")
    assert problems == {}


def test_no_folder_is_no_runs_and_a_file_is_an_error(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "absent") == []
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be read as a folder of runs"):
        list_runs(tmp_path / "file")


def test_a_changed_preset_file_is_read_again(runs: Path, make_run: MakeRun) -> None:
    path = finish(make_run())
    assert list_runs(runs)[0].preset == "digits-2d"
    (path / "preset.toml").write_text('[provenance]\npreset = "other"\n')
    assert list_runs(runs)[0].preset == "other"


def test_a_run_is_found_by_name_path_start_and_as_latest(
    runs: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = finish(make_run(name="alpha")), finish(make_run(name="beta"))
    (runs / "zzz").mkdir()
    assert find_run(runs, "alpha") == first
    assert find_run(runs, "al") == first
    assert find_run(runs, str(second)) == second
    assert find_run(runs, "latest") == second
    monkeypatch.chdir(runs)
    assert find_run(runs / "absent", "beta").resolve() == second
    assert find_run(runs / "absent", "./beta").resolve() == second


def test_a_whole_name_wins_over_the_start_of_another(runs: Path, make_run: MakeRun) -> None:
    path = finish(make_run(name="a"))
    finish(make_run(name="ab"))
    assert find_run(runs, "a") == path


def test_what_is_not_found_names_the_nearest(runs: Path, make_run: MakeRun) -> None:
    with pytest.raises(RunError, match=r"no run in .* yet: start one"):
        find_run(runs, "latest")
    with pytest.raises(RunError, match="holds no runs"):
        find_run(runs, "alpha")
    finish(make_run(name="alpha-one"))
    finish(make_run(name="alpha-two"))
    older, newer = finish(make_run()), finish(make_run())
    with pytest.raises(RunError, match="did you mean 'alpha-one'"):
        find_run(runs, "alfa-one")
    with pytest.raises(RunError, match="several runs begin with this name: alpha-one, alpha-two"):
        find_run(runs, "alpha")
    assert older.name != newer.name
    with pytest.raises(RunError, match=f"did you mean '{newer.name}'"):
        find_run(runs, "digits-2d")
    with pytest.raises(RunError, match=f"the newest is '{newer.name}'"):
        find_run(runs, "qqqqqqqq")
    for name in ("", ".", "..", "/"):
        with pytest.raises(RunError):
            find_run(runs, name)
    with pytest.raises(RunError, match=r"has no preset\.toml"):
        find_run(runs, str(runs))


def test_a_run_is_deleted_whole(runs: Path, make_run: MakeRun) -> None:
    run = make_run()
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    path = finish(run)
    (path / "checkpoints").mkdir()
    (path / "checkpoints" / "step-1.pt").write_bytes(b"weights")
    delete_run(path)
    assert list(runs.iterdir()) == []


def test_a_run_with_a_torn_status_can_be_deleted(runs: Path, make_run: MakeRun) -> None:
    path = finish(make_run())
    (path / "status.json").write_bytes(b"")
    delete_run(path)
    assert not path.exists()


def test_a_live_run_is_not_deleted(make_run: MakeRun) -> None:
    run = make_run()
    run.lock()
    run.status(state="running")
    with pytest.raises(RunBusyError, match=f"process {os.getpid()} .*then delete it"):
        delete_run(run.path)
    assert (run.path / "preset.toml").exists()


def test_a_run_that_is_locked_is_not_deleted_whatever_its_status_says(make_run: MakeRun) -> None:
    path = finish(make_run())
    lock = FileLock(path / "train.lock")
    lock.take()
    with pytest.raises(RunBusyError):
        delete_run(path)
    lock.release()
    delete_run(path)


def test_what_is_not_a_run_is_not_deleted(tmp_path: Path, make_run: MakeRun) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "preset.toml").write_text("title = 'a preset of mine'\n")
    link = tmp_path / "link"
    link.symlink_to(finish(make_run()))
    for path in (mine, link, tmp_path, tmp_path / "absent"):
        with pytest.raises(RunError, match="not a run"):
            delete_run(path)
    assert (mine / "preset.toml").exists()
    assert (link / "preset.toml").exists()
