"""Sweeps: what is trained, what they are called, and that they go on where they were."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui_latent.cli.main import main
from tui_latent.cli.sweep_table import run_table
from tui_latent.config.preset_files import PresetError
from tui_latent.launch.sweep.conduct import TrialResult
from tui_latent.launch.sweep.grid import Choices, parse_grid
from tui_latent.launch.sweep.plan import plan, run_name
from tui_latent.runs.reader import RunReader
from tui_latent.runs.sweep_folder import SweepRun

TINY = """
title = "tiny"
[data]
source = "digits"
per_class = 4
[method]
name = "autoencoder"
latent_dim = 2
network = "mlp"
width = 2
[train]
epochs = 1
batch_size = 16
"""

STAGES = "[[stages]]\nepochs = 1\n" * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train.lr=1e-3,1e-2", ("train.lr", [1e-3, 1e-2])),
        ("method.name=vicreg", ("method.name", ["vicreg"])),
        ("data.classes=[1,2],[3]", ("data.classes", [["1", "2"], ["3"]])),
        ('data.path="a,b",c', ("data.path", ["a,b", "c"])),
    ],
)
def test_grids(text: str, expected: object) -> None:
    assert parse_grid(text) == expected


@pytest.mark.parametrize("text", ["train.lr", "train.lr=", "=3"])
def test_what_is_no_grid_is_refused(text: str) -> None:
    with pytest.raises(PresetError):
        parse_grid(text)


def test_every_combination_once_and_named_by_it(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    grid: list[Choices] = [
        ("method.latent_dim", [2, 7]),
        ("train.lr", [0.1, 0.01, 0.001]),
    ]
    trials = plan(str(file), {"train.seed": 3}, grid).trials
    seen = [(t.preset.method.latent_dim, t.preset.train.lr, t.preset.train.seed) for t in trials]
    assert seen == [(d, lr, 3) for d in (2, 7) for lr in (0.1, 0.01, 0.001)]
    names = [run_name(trial.values, {}) for trial in trials]
    assert names[0] == "latent_dim_2-lr_0.1" and len(set(names)) == 6


def test_one_wrong_value_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    runs = tmp_path / "runs"
    words = ["sweep", str(file), "--grid", "method.latent_dim=2,0", "--runs", str(runs)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2 and "method.latent_dim" in result.output
    assert not runs.exists() or not list(runs.iterdir())


def test_a_sweep_trains_every_run_and_keeps_what_is_finished(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    words = ["sweep", str(file), "--grid", "method.latent_dim=2,3", "--runs", str(tmp_path / "r")]
    first = CliRunner().invoke(main, [*words, "--json"])
    assert first.exit_code == 0, first.output
    told = json.loads(first.output.splitlines()[-1])
    assert [row["set"] for row in told["runs"]] == [
        {"method.latent_dim": 2},
        {"method.latent_dim": 3},
    ]
    paths = [Path(row["path"]) for row in told["runs"]]
    assert all(RunReader(path).refresh().status.state == "finished" for path in paths)
    before = [(path / "metrics.jsonl").read_bytes() for path in paths]
    second = CliRunner().invoke(main, words)
    assert second.exit_code == 0 and "latent_dim" in second.output
    assert [(path / "metrics.jsonl").read_bytes() for path in paths] == before


def test_a_run_of_that_name_with_other_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    words = ["sweep", str(file), "--grid", "method.latent_dim=2", "--runs", str(tmp_path / "r")]
    assert CliRunner().invoke(main, words).exit_code == 0
    other = CliRunner().invoke(main, [*words, "--set", "train.epochs=2"])
    assert other.exit_code == 2
    assert "train.epochs 1 there, 2 here" in other.output and "--name" in other.output
    (path,) = runs_in(tmp_path / "r")
    assert RunReader(path).refresh().status.total_epochs == 1


def runs_in(folder: Path) -> list[Path]:
    """Return the folders of the runs of the one sweep in a folder."""
    return sorted(path.parent for path in folder.glob("*/*/preset.toml"))


def tiny(folder: Path, more: str = "") -> str:
    file = folder / "tiny.toml"
    file.write_text(TINY + more)
    return str(file)


def swept(folder: Path, *words: str, more: str = "") -> Result:
    runs = ["--runs", str(folder / "runs")]
    return CliRunner().invoke(main, ["sweep", tiny(folder, more), *words, *runs])


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["--grid", "method.beta=0.5,2"], "method.beta: has no effect"),
        (["--grid", "train.momentum=0.5,0.9"], "set train.optimizer=sgd"),
        (["--grid", "method.latent_dim=2", "--set", "method.beta=3"], "method.beta: has no effect"),
        (["--grid", "method.latent_dim=2,3", "--grid", "method.latent_dim=4"], "set twice"),
        (["--grid", "train.seed=1,2", "--set", "train.seed=3"], "set twice"),
        (
            ["--set", "stages.0.lr=0.1", "--grid", "stages.*.lr=0.1,0.2"],
            "stages.*.lr: is set twice, also as stages.0.lr",
        ),
        (
            ["--grid", "stages.1.lr=0.1,0.2", "--grid", "stages.-1.lr=0.3"],
            "stages.-1.lr: is set twice, also as stages.1.lr",
        ),
        (
            ["--set", "data.per_class=5", "--grid", "data={},{}"],
            "data: is set twice, also as data.per_class",
        ),
        (["--grid", "train.seed=1,,2"], "a value is empty"),
        (["--grid", "data.classes=[1,2"], "']' is missing"),
    ],
)
def test_a_grid_that_plans_the_same_training_twice_is_refused(
    words: list[str], same: str, tmp_path: Path
) -> None:
    result = swept(tmp_path, *words, more=STAGES if "stages" in str(words) else "")
    assert result.exit_code == 2 and same in result.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            [
                "--grid",
                "train.seed=" + ",".join(map(str, range(200))),
                "--grid",
                "train.lr=" + ",".join(f"0.{n:03}" for n in range(1, 60)),
            ],
            "or draw some of the combinations with --random N",
        ),
        (["--grid", "train.lr=0.1,0.2", "--seeds", "1000000000"], "use fewer seeds"),
        (["--grid", "train.lr=0.1..0.2", "--random", "10000000"], "draw fewer combinations"),
        (["--grid", "train.lr=0.1..0.2", "--random=200", "--seeds=51"], "or use fewer seeds"),
        (
            ["--grid=train.lr=0.1..1", "--search=optuna", "--maximise=val/loss", "--trials=10001"],
            "use fewer trials",
        ),
    ],
    ids=["combinations", "seeds", "drawn", "drawn with seeds", "searched"],
)
def test_more_trainings_than_anyone_can_want_are_refused_at_once(
    words: list[str], remedy: str, tmp_path: Path
) -> None:
    result = swept(tmp_path, *words)
    assert result.exit_code == 2 and "a sweep has 10,000 runs at most: " in result.output
    assert remedy in result.output
    assert not (tmp_path / "runs").exists()


def test_all_whole_numbers_of_a_range_are_drawn_once(tmp_path: Path) -> None:
    grid = [parse_grid("train.seed=0..3"), parse_grid("method.latent_dim=2,3")]
    trials = plan(tiny(tmp_path), {}, grid, drawn=10_000_000).trials
    found = {(trial.preset.train.seed, trial.preset.method.latent_dim) for trial in trials}
    assert len(trials) == 8 and found == {(seed, size) for seed in range(4) for size in (2, 3)}


@pytest.mark.parametrize(
    ("grid", "problem"),
    [
        ("train.devices=1,1000", "use [0-9]+ at most"),
        ("train.batch_size=16,17", "2 processes cannot evenly divide a batch of 17"),
    ],
)
def test_processes_of_each_run_are_checked_before_the_first_one(
    grid: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.launch.start.cpu_cores", lambda: 2)
    monkeypatch.setattr("tui_latent.launch.start.devices", list)
    some = [] if "devices" in grid else ["--set", "train.devices=2"]
    result = swept(tmp_path, "--grid", grid, "--set", "train.device=cpu", *some)
    assert result.exit_code == 2 and re.search(problem, result.output), result.output
    assert not (tmp_path / "runs").exists()


def test_trials_that_come_to_the_same_are_reported_and_trained_once(tmp_path: Path) -> None:
    words = ["--grid", "method.variational=false,true", "--grid", "method.beta=0.5,2"]
    result = swept(tmp_path, *words)
    assert result.exit_code == 0, result.output
    assert (
        "method.variational=false method.beta=2 trains the same as method.variational=false "
        "method.beta=0.5"
    ) in result.output
    runs = runs_in(tmp_path / "runs")
    assert len(runs) == 3 and runs[0].name == "variational_false-beta_0.5"
    command = RunReader(runs[0]).refresh().provenance["command"]
    assert "beta" not in command  # it would be refused there


@pytest.mark.parametrize("grid", ["train.lr=1e-3,0.001", "data.classes=[3,5],[5,3]"])
def test_two_ways_to_write_a_value_are_one_trial(grid: str, tmp_path: Path) -> None:
    assert len(plan(tiny(tmp_path), {}, [parse_grid(grid)]).trials) == 1


def test_stages_are_swept_one_by_one_or_together() -> None:
    name = "digits-contrastive-2d"
    trials = plan(name, {"stages.*.epochs": 1}, [parse_grid("stages.0.lr=0.1,0.2")]).trials
    assert [[s.lr for s in t.preset.stages] for t in trials] == [
        [0.1, 0.01, 0.006],
        [0.2, 0.01, 0.006],
    ]
    assert run_name(trials[0].values, {}) == "stage_0_lr_0.1"
    together = plan(name, {}, [parse_grid("stages.*.lr=0.1,0.2")]).trials
    assert [{s.lr for s in t.preset.stages} for t in together] == [{0.1}, {0.2}]


def test_values_that_differ_only_in_what_a_name_cannot_hold_have_names_of_their_own(
    tmp_path: Path,
) -> None:
    trials = plan(tiny(tmp_path), {}, [parse_grid('data.classes=["a b"],["a_b"]')]).trials
    first = run_name(trials[0].values, {})
    assert run_name(trials[1].values, {first: 1}) != first


def test_a_preset_whose_name_has_spaces_names_its_runs(tmp_path: Path) -> None:
    file = tmp_path / "my own v1.2.toml"
    file.write_text(TINY)
    words = ["sweep", str(file), "--grid", "method.latent_dim=2", "--runs", str(tmp_path / "r")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    (sweep,) = (tmp_path / "r").iterdir()
    assert sweep.name == "sweep-my_own_v1.2"
    assert [path.name for path in runs_in(tmp_path / "r")] == ["latent_dim_2"]


def test_a_sweep_killed_while_it_made_a_folder_goes_on(tmp_path: Path) -> None:
    words = ["sweep", tiny(tmp_path), "--grid", "method.latent_dim=2", "--runs"]
    words.append(str(tmp_path / "runs"))
    program = (
        "import os, sys\nfrom tui_latent.cli.main import main\n"
        "from tui_latent.runs import new_run\n"
        "new_run.replace_file = lambda *_, **__: os.kill(os.getpid(), 9)\nmain(sys.argv[1:])"
    )
    killed = subprocess.run([sys.executable, "-c", program, *words], check=False)
    assert killed.returncode == -signal.SIGKILL
    result = swept(tmp_path, "--grid", "method.latent_dim=2")
    assert result.exit_code == 0, result.output
    (run,) = runs_in(tmp_path / "runs")
    assert RunReader(run).refresh().status.state == "finished"


def test_a_folder_that_is_not_a_run_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "runs" / "sweep-tiny"
    theirs.mkdir(parents=True)
    (theirs / "notes.txt").write_text("mine")
    result = swept(tmp_path, "--grid", "method.latent_dim=2")
    assert result.exit_code == 2 and f"{theirs.name}: already exists" in result.output
    assert "use another --name" in result.output
    assert [file.name for file in theirs.iterdir()] == ["notes.txt"]


def test_the_latest_run_is_no_neighbour_of_a_sweep(tmp_path: Path) -> None:
    words = ["sweep", "cifar10-vicreg-neighbours", "--grid", "train.seed=1,2"]
    words += ["--set", "method.neighbours_run=latest", "--runs", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2 and "name the run itself" in result.output


def test_the_table_of_runs_fits_the_terminal() -> None:
    values = {"method.metric_weight": 0.5, "method.latent_dim": 2, "train.seed": 1}
    metrics = {"val/knn_20": 0.5, "val/knn_5": 0.4, "val/knn_1": 0.3, "val/loss": 0.2}
    result = {"state": "finished", "metrics": metrics, "seconds": 3.0}
    results = [TrialResult(SweepRun("one", values), result)]
    wide, narrow = run_table(results), run_table(results, 80)
    assert "kNN@1" in wide[0] and max(map(len, wide)) > 80
    assert max(map(len, narrow)) <= 80
    assert narrow[0].split()[2:6] == ["seed", "state", "kNN@20", "held-out"]
