"""A run that trains for longer than it was planned: epochs, learning rate, and what it keeps."""

from __future__ import annotations

import json
import math
import os
import shlex
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tui_latent.cli.main import main
from tui_latent.config.presets import load_preset, load_run_preset, parse_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.reports.run_summary import about_run
from tui_latent.runs.process import HOST
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import Status
from tui_latent.runs.status import read_status, write_status

TABLE: dict[str, Any] = {
    "data": {"source": "digits", "per_class": 8},
    "method": {"name": "contrastive", "latent_dim": 2, "width": 2, "network": "mlp"},
    "train": {"epochs": 4, "batch_size": 20, "log_every": 1, "device": "cpu", "lr": 0.01},
}
STAGES = [
    {"epochs": 1, "latent_dim": 3, "lr": 0.02},
    {"epochs": 2, "latent_dim": 2, "lr": 0.01},
]


def made(runs: Path, trained: bool = True, **changes: object) -> Path:
    preset = parse_preset(TABLE, {k.replace("__", "."): v for k, v in changes.items()}, "x")
    path = create_run("none", preset, runs, "run")
    assert not trained or train_run(path).state == "finished"
    return path


def resumed(path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["resume", str(path), *words])


def rates(path: Path) -> dict[int, float]:
    lines = map(json.loads, (path / "metrics.jsonl").read_text().splitlines())
    return {line["step"]: line["train/lr"] for line in lines if "train/lr" in line}


@pytest.mark.parametrize("words", [["--epochs", "6"], ["--set", "train.epochs=6"]])
def test_a_finished_run_goes_on_along_the_longer_cosine(words: list[str], tmp_path: Path) -> None:
    path = made(tmp_path)
    before = rates(path)
    steps = read_status(path).total_steps // 4
    result = resumed(path, *words)
    assert result.exit_code == 0, result.output
    told = next(line for line in result.output.splitlines() if "learning rate" in line)
    assert "6 epochs instead of 4" in told and "falls to 0" in told
    status = read_status(path)
    assert (status.state, status.epoch, status.total_epochs) == ("finished", 6.0, 6)
    now = rates(path)
    assert sorted(now) == list(range(1, 6 * steps + 1))
    assert {step: now[step] for step in before} == before
    for step in range(4 * steps + 1, 6 * steps + 1):
        expected = 0.01 * 0.5 * (1 + math.cos(math.pi * (step - 1) / (6 * steps)))
        assert now[step] == pytest.approx(expected)
    assert f"{now[4 * steps + 1]:.3g}" in told
    assert load_run_preset(path).train.epochs == 6


def test_stages_are_lengthened_by_the_last_one(tmp_path: Path) -> None:
    path = made(tmp_path, stages=STAGES)
    assert "set stages.0.epochs" in resumed(path, "--set", "train.epochs=9").output
    refused = resumed(path, "--set", "stages.0.epochs=9")
    assert refused.exit_code == 2 and "only stages.1.epochs" in refused.output
    result = resumed(path, "--epochs", "5")
    assert result.exit_code == 0, result.output
    assert [stage.epochs for stage in load_run_preset(path).stages] == [1, 4]
    assert read_status(path).epoch == 5
    again = resumed(path, "--set", "stages.-1.epochs=5")
    assert again.exit_code == 0 and read_status(path).epoch == 6
    changes = RunReader(path).refresh().provenance["changes"]
    assert [change["before"] for change in changes] == [
        {"stages.1.epochs": 2},
        {"stages.1.epochs": 4},
    ]
    assert [(change["epoch"], change["step"] > 0) for change in changes] == [(3, True), (5, True)]


def test_a_constant_rate_stays(tmp_path: Path) -> None:
    path = made(tmp_path, train__schedule="constant")
    assert "stays constant at 0.01" in resumed(path, "--epochs", "5").output
    assert set(rates(path).values()) == {0.01}


def test_the_report_says_both_commands(tmp_path: Path) -> None:
    changes = {key: value for key, value in _small().items()}
    path = create_run("digits-triplet-2d", load_preset("digits-triplet-2d", changes), tmp_path)
    train_run(path)
    assert resumed(path, "--epochs", "2").exit_code == 0
    first, second = about_run(RunReader(path).refresh()).command.split(" && ")
    assert first == tomllib.loads((path / "preset.toml").read_text())["provenance"]["command"]
    assert "train.epochs=1" in shlex.split(first)
    assert second == "tui-latent resume latest --set train.epochs=2"


def _small() -> dict[str, object]:
    return {"data.per_class": 8, "train.epochs": 1, "train.batch_size": 20, "train.patience": 0}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--epochs", "4"], "4 epochs are done: train.epochs must be 5 or more"),
        (["--epochs", "3"], "4 epochs are done"),
        (["--set", "train.lr=0.5"], "train.lr: cannot be changed after a run has begun"),
        (["--set", "train.epochs=9", "--set", "train.seed=2"], "train.seed: cannot be changed"),
        (["--set", "stages.0.epochs=9"], "has no stages: set train.epochs"),
        (["--set", "train.epochs=-1"], "greater than or equal to 1"),
        (["--set", "train.patience=5"], "4 epochs are done"),
        (["--set", "method.name=vicreg"], "method"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    words: list[str], says: str, tmp_path: Path
) -> None:
    path = made(tmp_path)
    before = (path / "preset.toml").read_bytes()
    result = resumed(path, *words)
    assert result.exit_code == 2 and says in result.output
    assert (path / "preset.toml").read_bytes() == before


def test_a_run_that_is_being_trained_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path)
    before = (path / "preset.toml").read_bytes()
    live = Status(state="running", pid=os.getppid(), host=HOST, heartbeat=time.time())
    write_status(path, live)
    result = resumed(path, "--epochs", "9")
    assert result.exit_code == 1 and "is being trained by process" in result.output
    assert (path / "preset.toml").read_bytes() == before


def test_eigenmaps_have_no_epochs(tmp_path: Path) -> None:
    table = {"data": {"source": "digits", "per_class": 8}, "method": {"name": "eigenmaps"}}
    path = create_run("none", parse_preset(table, {}, "x"), tmp_path, "run")
    result = resumed(path, "--epochs", "9")
    assert result.exit_code == 2 and "fitted in one go" in result.output


def test_a_run_that_patience_ended_needs_more_patience(tmp_path: Path) -> None:
    path = made(tmp_path, train__patience=1, train__lr=1e-9, train__epochs=50)
    ended = read_status(path)
    assert ended.epoch < 50
    result = resumed(path, "--epochs", "60")
    assert result.exit_code == 2 and "--set train.patience=0" in result.output
    words = ["--set", "train.patience=0", "--epochs", str(int(ended.epoch) + 2)]
    assert resumed(path, *words).exit_code == 0
    assert read_status(path).epoch == int(ended.epoch) + 2
