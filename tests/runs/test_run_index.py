from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.runs.conftest import PRESET, MakeRun
from tui_latent.runs import run_index, run_summary
from tui_latent.runs.labels import change_labels
from tui_latent.runs.run_index import RunIndex
from tui_latent.runs.run_summary import Summaries
from tui_latent.runs.schema import RunSummary
from tui_latent.runs.writer import RunWriter


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files for settled at once, and every change for worth keeping."""
    monkeypatch.setattr(run_summary, "_SETTLED_AFTER", -1.0)
    monkeypatch.setattr(run_index, "WORTH_KEEPING", 1)


def two_runs(runs: Path) -> list[Path]:
    """Make a finished run with labels, and a failed one."""
    about = {"created": 7.0, "command": "tui-latent train digits-2d --set train.lr=0.1"}
    first = RunWriter.create(runs, "digits-2d", PRESET, about, "first")
    first.metrics(10, 1.0, 1.0, {"val/knn_20": 0.9, "train/loss": 0.5})
    first.metrics(20, 2.0, 2.0, {"val/knn_20": 0.8})
    first.status(state="finished")
    second = RunWriter.create(runs, "digits-2d", PRESET, {}, "second")
    second.status(state="failed", error="no disk")
    for writer in (first, second):
        writer.close()
    change_labels(first.path, name="mine", tags=("x",))
    return [first.path, second.path]


def listed(summaries: Summaries, paths: list[Path]) -> list[RunSummary]:
    return [summaries.summarise(path) for path in paths]


def test_stored_lines_equal_those_read_and_are_not_read_again(tmp_path: Path) -> None:
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    paths = two_runs(runs)
    before = Summaries()
    found = listed(before, paths)
    assert (found[0].knn_20, found[0].best_knn_20, found[0].changes) == (
        0.8,
        0.9,
        ("train.lr=0.1",),
    )
    RunIndex(cache, runs, before).keep(found)
    after = Summaries()
    RunIndex(cache, runs, after).load(runs)
    assert listed(after, paths) == found
    assert after.read == 0


def test_a_line_is_read_again_when_a_file_has_changed(tmp_path: Path) -> None:
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    paths = two_runs(runs)
    before = Summaries()
    RunIndex(cache, runs, before).keep(listed(before, paths))
    change_labels(paths[0], name="yours")
    writer = RunWriter.reopen(paths[1])
    writer.status(state="finished", step=99)
    writer.close()
    after = Summaries()
    RunIndex(cache, runs, after).load(runs)
    first, second = listed(after, paths)
    assert first.title == "yours" and second.status.step == 99
    assert after.read == 2


@pytest.mark.parametrize("text", [b"", b"{}", b'{"format": 1}', b"\x00" * 10, b"[]"])
def test_a_damaged_index_costs_nothing_but_time(tmp_path: Path, text: bytes) -> None:
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    paths = two_runs(runs)
    before = Summaries()
    index = RunIndex(cache, runs, before)
    index.keep(listed(before, paths))
    (file,) = cache.iterdir()
    file.write_bytes(text)
    after = Summaries()
    RunIndex(cache, runs, after).load(runs)
    assert [run.name for run in listed(after, paths)] == ["first", "second"]


def test_a_damaged_value_is_read_again(tmp_path: Path) -> None:
    """The index is well-formed, and its values no longer those of the run."""
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    paths = two_runs(runs)
    before = Summaries()
    found = listed(before, paths)
    RunIndex(cache, runs, before).keep(found)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes().replace(b"0.9", b"0.7").replace(b"finished", b"finishes"))
    after = Summaries()
    RunIndex(cache, runs, after).load(runs)
    assert listed(after, paths) == found


def test_without_a_writable_cache_runs_are_still_listed(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    paths = two_runs(runs)
    summaries = Summaries()
    index = RunIndex(Path(os.devnull) / "cache", runs, summaries)
    index.keep(listed(summaries, paths))
    index.load(runs)
    assert [run.name for run in listed(summaries, paths)] == ["first", "second"]


def test_a_run_of_version_0_1_has_its_newest_knn_from_its_records(make_run: MakeRun) -> None:
    run = make_run()
    run.metrics(10, 1.0, 1.0, {"val/knn_20": 0.9})
    run.metrics(20, 2.0, 2.0, {"val/knn_20": 0.7, "train/loss": 1.0})
    run.metrics(30, 3.0, 3.0, {"train/loss": 1.0})
    run.status(state="finished", knn_20=None)
    run.close()
    summary = Summaries().summarise(run.path)
    assert (summary.knn_20, summary.best_knn_20) == (0.7, 0.9)
