"""Predictions are arithmetic on counts, and give way to what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import predictions
from benchmarks.count_kernels import Operator, counted, update_operators
from benchmarks.predictions import (
    PRESETS,
    Counts,
    Goal,
    counts_of,
    gains,
    knn_queries_per_second,
    milliseconds,
    section,
    shares,
    with_compile,
)

GOAL = Goal("kNN", "≥ 100 x", "44 x", "", "neighbours", " 2-D,")
SMALL = Counts(512, 243, 204, 0.295, 0.0, 0.00699)
LARGE = Counts(256, 718, 395, 9.23, 1.681, 1.708)


def test_a_step_is_its_launches_its_bytes_and_its_arithmetic() -> None:
    assert milliseconds(SMALL, 350, 2.5) == pytest.approx(204 * 0.0017 + 0.295 / 2.5)
    least, most = gains(SMALL)
    assert least == pytest.approx(243 * 0.005 / (0.3468 + 0.118))
    assert most == pytest.approx(243 * 0.008 / (0.3468 + 0.295 / 3.6))
    step = 395 * 0.0017 + 9.23 / 2.5 + 1681 / 350
    assert shares(LARGE)["H100, at 350"] == pytest.approx(1708 / 790 / step)
    faster = shares(with_compile(LARGE))
    assert faster["H100, at 350"] == pytest.approx(1708 / 790 / (step - 0.4 * 9.23 / 2.5))
    seconds = 614.4e9 / 50e12 + 4 * 2.4e9 / 2.5e12 + 12 * 3 * 4 * 5e-6
    assert knn_queries_per_second() == pytest.approx(10_000 / seconds)


def test_a_kernel_is_attributed_to_what_takes_longest() -> None:
    launches = Operator(3, 1_000, 1_000)
    memory = Operator(1, 10_000_000_000, 1_000_000_000_000)
    arithmetic = Operator(1, 1_000_000, 7_000_000_000_000)
    counts = counted(8, [launches, memory, arithmetic])
    assert (counts.batch, counts.kernels, counts.short) == (8, 5, 3)
    assert (counts.gigabytes, counts.long_teraflop) == (10.0, 7.0)
    assert counts.teraflop == pytest.approx(8.0)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_the_saved_counts_are_those_of_todays_update(preset: str) -> None:
    saved, now = counts_of(preset), counted(*update_operators(preset))
    assert saved.batch == now.batch
    assert saved.kernels == pytest.approx(now.kernels, rel=0.1)
    assert saved.gigabytes == pytest.approx(now.gigabytes, rel=0.1)
    assert saved.teraflop == pytest.approx(now.teraflop, rel=0.01)


def test_what_was_not_run_names_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "RESULTS", tmp_path)
    assert GOAL.measured() == "not run: `python -m benchmarks.neighbours --device cuda`"


@pytest.mark.parametrize("folder", [".", "gpu_all"])
def test_a_measured_row_stands_in_the_place_of_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    rows = [
        {"what": "exact kNN, 60,000 latents, 512-D, a GPU", "measured": "40 x"},
        {"what": "exact kNN, 60,000 latents, 2-D, a GPU", "measured": "14 x"},
    ]
    (tmp_path / folder).mkdir(exist_ok=True)
    file = tmp_path / folder / "neighbours-cuda.json"
    file.write_text(json.dumps({"hardware": {"gpu": "NVIDIA H100"}, "rows": rows}))
    monkeypatch.setattr(predictions, "RESULTS", tmp_path)
    assert GOAL.measured() == "14 x (NVIDIA H100)"


def test_the_document_holds_the_table_that_the_command_writes() -> None:
    """Numbers in documents come from a command: `python -m benchmarks.tables`."""
    document = Path(predictions.__file__).with_name("README.md").read_text()
    assert section() in document
