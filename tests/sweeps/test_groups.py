"""What is said of a sweep: means, the best, and whether the seeds allow to name it."""

from __future__ import annotations

import math
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.made_sweeps import DIM, RATE, SEED, made_sweep
from tui_latent.runs.schema import State, Status
from tui_latent.runs.status import read_status, write_status
from tui_latent.runs.sweep_results import keep_result
from tui_latent.sweeps.groups import grouped, verdict
from tui_latent.sweeps.reading import SweepReader


def said(path: Path) -> str:
    snapshot = SweepReader(path).refresh()
    return verdict(grouped(snapshot, snapshot.metric), snapshot.metric)


def test_a_clear_winner_is_named(tmp_path: Path) -> None:
    figures = {
        (dim, 0.01, seed): base + 0.001 * seed
        for dim, base in ((2, 0.5), (3, 0.7), (10, 0.9))
        for seed in range(3)
    }
    figures[2, 0.01, 1] += 0.002
    assert said(made_sweep(tmp_path, figures)) == (
        "Best: latent_dim 10, lr 0.01, mean kNN@20 0.901 over 3 seeds; all 2 others are worse."
    )


def test_no_winner_is_named_inside_the_noise(tmp_path: Path) -> None:
    noisy = {2: (0.80, 0.90, 0.82), 3: (0.88, 0.81, 0.86)}
    figures = {(dim, 0.01, s): value for dim, all_ in noisy.items() for s, value in enumerate(all_)}
    words = said(made_sweep(tmp_path, figures))
    assert words.startswith("Highest: latent_dim 3") and "Best" not in words
    assert "Within the noise of the seeds: latent_dim 2" in words


def test_one_seed_each_is_called_chance(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1): 0.5, (3, 0.1): 0.9}, keys=(DIM, RATE))
    assert "this may be chance: --seeds 3" in said(path)


def test_seeds_alone_have_a_mean_and_a_deviation(tmp_path: Path) -> None:
    words = said(made_sweep(tmp_path, {(0,): 0.8, (1,): 0.9, (2,): 1.0}, keys=(SEED,)))
    assert words == "Mean kNN@20 0.900 over 3 seeds, standard deviation 0.10."


def test_runs_that_have_not_finished_do_not_count(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1, 0): 0.5, (3, 0.1, 0): None})
    assert said(path) == "Only latent_dim 2, lr 0.1 has finished: kNN@20 0.500."
    nothing = made_sweep(tmp_path, {(2, 0.1, 0): None}, name="empty", state="running")
    assert said(nothing) == "No run has finished with a value of kNN@20 yet."
    failed = made_sweep(tmp_path, {(2, 0.1, 0): math.nan, (3, 0.1, 0): math.nan}, name="failed")
    assert said(failed) == "No run has finished with a value of kNN@20: 2 of 2 failed."
    some = made_sweep(tmp_path, {(2, 0.1, 0): math.nan, (3, 0.1, 0): None}, name="some")
    write_status(some, Status(state="stopped"))
    assert said(some) == "No run has finished with a value of kNN@20 yet.", "it can go on"


def test_a_loss_is_best_small(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1, 0): 0.5, (3, 0.1, 0): 0.9})
    groups = grouped(SweepReader(path).refresh(), "train/loss")
    assert [group.values[DIM] for group in groups] == [3, 2]


def test_kept_results_are_used_only_while_the_run_is_as_it_was(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1, 0): 0.5})
    (run,) = SweepReader(path).refresh().rows
    keep_result(path, run.run.name, {"val/knn_20": 0.75}, {})
    assert SweepReader(path).refresh().rows[0].metrics == {"val/knn_20": 0.75}
    status = run.path / "status.json"
    status.write_bytes(status.read_bytes() + b"\n")
    assert SweepReader(path).refresh().rows[0].metrics["val/knn_20"] == pytest.approx(0.5)
    (path / "results.jsonl").write_bytes(b"\x00 no JSON\n{}\n[1]\n")
    assert SweepReader(path).refresh().rows[0].metrics["val/knn_20"] == pytest.approx(0.5)


def test_a_run_that_was_removed_from_a_finished_sweep_does_not_wait(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1): 0.5, (3, 0.1): 0.9}, keys=(DIM, RATE))
    reader = SweepReader(path)
    first, second = reader.refresh().rows
    shutil.rmtree(second.path)
    assert [row.state for row in reader.refresh().rows] == [first.state, "gone"]


def test_a_run_that_no_process_has_begun_waits_until_the_sweep_has_failed(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1): 0.5, (3, 0.1): 0.9}, keys=(DIM, RATE))
    reader = SweepReader(path)
    queued = reader.refresh().rows[1].path
    for file in queued.iterdir():
        if file.is_file() and file.name not in ("preset.toml", "status.json"):
            file.unlink()
    hours_ago = Status(host="login-node", heartbeat=time.time() - 10_000)
    write_status(queued, hours_ago)
    sweep = read_status(path)
    now: dict[str, Any] = {"heartbeat": time.time(), "pid": os.getpid(), "host": "elsewhere"}
    expected: list[tuple[State, str]] = [
        ("running", "waiting"),
        ("stopped", "waiting"),
        ("failed", "interrupted"),
    ]
    for state, shown in expected:
        write_status(path, replace(sweep, state=state, **now))
        assert [row.state for row in reader.refresh().rows][1] == shown, state
    write_status(path, replace(sweep, state="running", **now))
    write_status(queued, replace(hours_ago, state="running", **now))
    assert reader.refresh().rows[1].state == "running"
