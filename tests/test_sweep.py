"""Sweeps: what is trained, what they are called, and that they go on where they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui_latent.cli import main
from tui_latent.preset_files import PresetError
from tui_latent.records.reader import RunReader
from tui_latent.sweep import parse_grid, plan, run_names

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
    grid: list[tuple[str, Sequence[object]]] = [
        ("method.latent_dim", [2, 7]),
        ("train.lr", [0.1, 0.01, 0.001]),
    ]
    trials = plan(str(file), {"train.seed": 3}, grid).trials
    seen = [(t.preset.method.latent_dim, t.preset.train.lr, t.preset.train.seed) for t in trials]
    assert seen == [(d, lr, 3) for d in (2, 7) for lr in (0.1, 0.01, 0.001)]
    names = run_names("s", trials)
    assert names[0] == "s-latent_dim_2-lr_0.1" and len(set(names)) == 6


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
    (path,) = (tmp_path / "r").iterdir()
    assert RunReader(path).refresh().status.total_epochs == 1
