"""The study of a search when its file was damaged, lost, or belongs to another grid."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.launch.test_sweep import tiny
from tui_latent.launch.start import make_run
from tui_latent.launch.sweep.folder import SweepFolder
from tui_latent.launch.sweep.grid import parse_grid
from tui_latent.launch.sweep.plan import Planner
from tui_latent.launch.sweep.search import SearchedTrials
from tui_latent.launch.sweep.study import STORAGE
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError
from tui_latent.runs.sweep_folder import Search
from tui_latent.runs.writer import RunWriter

GRID = ("train.lr=log:1e-4..1e-1", "train.batch_size=8,16", "method.latent_dim=2..9")

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'tui-latent[optuna]'")


def searched(folder: Path, grid: Sequence[str] = GRID) -> SearchedTrials:
    """Return the trials of a search with room for four, begun or continued."""
    preset = tiny(folder)
    planner = Planner(preset, {}, [parse_grid(text) for text in grid], 1)
    search = Search("optuna", "val/knn_20", True, 4)
    made = SweepFolder(folder / "runs", "s", preset, "", planner.base, 1)
    made.make(planner.grid, search)
    return SearchedTrials(made, planner, search)


def settings_of(trials: SearchedTrials) -> list[dict[str, Any]]:
    """Return what the study thinks the trials had set."""
    return [dict(trial.params) for trial in trials._study.trials]


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Return a folder with a search that has suggested three trainings."""
    trials = searched(tmp_path)
    for _ in range(3):
        assert trials.take(1)
    return tmp_path


def test_a_search_that_is_continued_has_its_trials(begun: Path) -> None:
    again = searched(begun)
    runs = [again.take(1)[0][1] for _ in range(3)]
    assert len(again._study.trials) == 3
    assert [run.number for run in runs] == [0, 1, 2] and set(again._asked) == {
        run.name for run in runs
    }
    assert again.take(1)
    assert len(again._study.trials) == 4, "nothing is suggested for the second time"


def test_a_pruned_run_is_no_result_of_the_same_settings(tmp_path: Path) -> None:
    """Its last value is not the one that it would have ended with."""
    grid = ["train.batch_size=8,16"]
    trials = searched(tmp_path, grid)
    for _ in range(2):
        ((trial, run),) = trials.take(1)
        make_run(str(tmp_path / "tiny.toml"), trial.preset, tmp_path / "runs" / "s", run.name)
        writer = RunWriter.reopen(tmp_path / "runs" / "s" / run.name)
        writer.metrics(10, 1.0, 1.0, {"val/knn_20": 0.5})
        writer.close()
        run = replace(run, pruned=True)
        trials._folder.change(run)
        trials.told(run, RunReader(tmp_path / "runs" / "s" / run.name).refresh())
    assert not trials.take(1), "there is nothing else to try"
    states = {trial.state.name for trial in trials._study.trials}
    assert states == {"PRUNED", "FAIL"}


def test_an_evaluation_is_reported_once_to_a_search_that_is_continued(begun: Path) -> None:
    """Optuna would print a warning into the progress of the sweep."""
    trials = searched(begun)
    ((trial, run),) = trials.take(1)
    make_run(str(begun / "tiny.toml"), trial.preset, begun / "runs" / "s", run.name)
    writer = RunWriter.reopen(begun / "runs" / "s" / run.name)
    writer.metrics(10, 1.0, 1.0, {"val/knn_20": 0.5})
    writer.close()
    evaluated = RunReader(begun / "runs" / "s" / run.name).refresh()
    trials.looks(run, evaluated)
    again = searched(begun)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.looks(run, evaluated)
    assert again._study.trials[0].intermediate_values == {10: 0.5}


@pytest.mark.parametrize("lost", [1, 20, 400], ids=["newline", "half a line", "some lines"])
def test_a_study_that_was_cut_off_goes_on(lost: int, begun: Path) -> None:
    file = begun / "runs" / "s" / STORAGE
    file.write_bytes(file.read_bytes()[:-lost])
    again = searched(begun)
    known = [again.take(1)[0][1] for _ in range(3)]
    assert set(again._asked) == {run.name for run in known}
    found = dict(enumerate(settings_of(again)))
    for run in known:
        assert run.number is not None
        assert found[run.number]["method.latent_dim"] == run.values["method.latent_dim"]
    assert again.take(1), "the search goes on"
    assert len(searched(begun)._folder.manifest.runs) == 4


@pytest.mark.parametrize("kept", ["nothing", "another study"])
def test_a_lost_study_is_made_again_from_the_runs(
    kept: str, begun: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = begun / "runs" / "s" / STORAGE
    file.unlink()
    if kept == "another study":
        other = tmp_path_factory.mktemp("other")
        searched(other, [*GRID[:2], "method.latent_dim=20..30"]).take(1)
        file.write_bytes((other / "runs" / "s" / STORAGE).read_bytes())
    again = searched(begun)
    for _ in range(3):
        _, run = again.take(1)[0]
        number = run.number
        assert number is not None
        found = settings_of(again)[number]
        assert found["train.lr"] == pytest.approx(run.values["train.lr"], rel=1e-9)
        assert found["train.batch_size"] == [8, 16].index(run.values["train.batch_size"])


def test_other_values_leave_the_earlier_results_as_they_were(begun: Path) -> None:
    again = searched(begun, [GRID[0], "train.batch_size=4,16,8", GRID[2]])
    for _ in range(3):
        _, run = again.take(1)[0]
        assert run.number is not None
        place = settings_of(again)[run.number]["train.batch_size"]
        assert [4, 16, 8][place] == run.values["train.batch_size"]
    assert again.take(1), "the search goes on"


@pytest.mark.parametrize(
    "content", [b"garbage\n", b"{}\n", b"[]\n", b"\xff\xfe\n", b'{"op_code": 99}\n'], ids=str
)
def test_a_damaged_study_is_a_sentence_whose_remedy_works(content: bytes, begun: Path) -> None:
    file = begun / "runs" / "s" / STORAGE
    file.write_bytes(content)
    with pytest.raises(RunError, match=r"optuna\.journal: .* move it away, and run the same"):
        searched(begun)
    assert file.read_bytes().startswith(content)
    file.rename(begun / "aside")
    assert len(settings_of(searched(begun))) == 3
