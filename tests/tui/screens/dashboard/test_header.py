"""The header line: everything that fits, nothing that moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from tui_latent.runs.schema import Curve, RunSnapshot, Status
from tui_latent.tui.format import clock
from tui_latent.tui.screens.dashboard.header import header_line, seconds_left

STATUS = Status(
    state="running",
    step=720,
    total_steps=2400,
    epoch=12.0,
    total_epochs=40,
    seconds=72.0,
    images_per_second=12431.0,
    device="cuda:0 NVIDIA H200",
    memory_bytes=3 * 2**30,
)


def snapshot(
    status: Status = STATUS,
    curves: dict[str, Curve] | None = None,
    name: str = "20261122-134500-mnist-contrastive-2d",
) -> RunSnapshot:
    return RunSnapshot(
        Path(f"runs/{name}"),
        {"train": {"seed": 7}},
        {"preset": "mnist-contrastive-2d"},
        status,
        curves or {},
    )


def line(width: int, asked: str | None = None, status: Status = STATUS) -> str:
    return header_line(snapshot(status), asked, width).plain


def test_a_wide_line_says_everything() -> None:
    text = line(160)
    for part in (
        *("● running", "mnist-contrastive-2d", "seed 7", "epoch 12/40", "30 %", "2:48 left"),
        *("12,431 img/s", "cuda:0 3.0 GiB", "step 720", "━"),
    ):
        assert part in text


def test_a_run_is_called_by_the_name_that_it_was_given() -> None:
    text = header_line(snapshot(name="slower-rate"), None, 160).plain
    assert "slower-rate" in text and "mnist-contrastive-2d" not in text


def test_at_80_columns_a_long_name_is_shortened_and_not_dropped() -> None:
    done = replace(STATUS, state="finished", step=2400)
    text = header_line(snapshot(done), None, 80).plain
    assert "mnist-" in text and "-2d" in text and "…" in text


@pytest.mark.parametrize("phase", ["64-D", "2-D, all layers", "a stage with a very long title"])
def test_at_80_columns_a_run_keeps_its_name_beside_its_stage(phase: str) -> None:
    text = line(80, status=replace(STATUS, phase=phase))
    assert "-2d" in text and phase[:4] in text and phase[-4:] in text
    assert "30 %" in text and "━" in text


def test_at_80_columns_state_bar_time_left_and_knn_stay() -> None:
    scores = np.array([0.962])
    curve = Curve(scores, scores, scores, scores, scores, 0.962, 0.962)
    text = header_line(snapshot(curves={"val/knn_20": curve}), None, 80).plain
    for part in ("running", "━", "30 %", "left", "kNN .962"):
        assert part in text


@pytest.mark.parametrize("width", [60, 79, 80, 99, 100, 120, 150, 200])
def test_the_line_is_never_longer_than_the_screen(width: int) -> None:
    assert cell_len(line(width)) <= width


def test_nothing_moves_when_numbers_grow() -> None:
    later = Status(**{**vars(STATUS), "step": 721, "images_per_second": 9.5, "seconds": 3600.0})
    now, then = line(140), line(140, status=later)
    for mark in (" %", " img/s", "left", "epoch"):
        assert now.index(mark) == then.index(mark)


def test_what_was_asked_stands_for_the_state_until_it_is_answered() -> None:
    assert "pausing…" in line(120, "pause")
    assert "running" not in line(120, "pause")
    assert "stopping…" in line(120, "stop")


def test_what_is_not_known_is_a_dash() -> None:
    text = line(160, status=Status())
    assert "– left" in text and "– img/s" in text and "epoch 0/–" in text and "    –" in text


def test_a_run_that_ended_says_how_long_it_took() -> None:
    text = line(120, status=Status(**{**vars(STATUS), "state": "finished", "step": 2400}))
    assert "1:12 trained" in text and "left" not in text and "100 %" in text


def test_what_the_trainer_does_before_the_first_step_is_reported() -> None:
    starting = Status(state="starting", phase="loading mnist [red]")
    assert "loading mnist [red]" in line(120, status=starting)


def test_time_left_follows_the_latest_pace() -> None:
    # Slow at first (10 s a step), then 1 s a step.
    steps = np.arange(1.0, 101.0)
    times = np.where(steps <= 50, steps * 10, 500 + (steps - 50))
    curve = Curve(steps, times, steps, steps, steps, 1.0, 1.0)
    status = Status(state="running", step=100, total_steps=200, seconds=550.0)
    left = seconds_left(snapshot(status, {"train/loss": curve}))
    assert left == pytest.approx(100.0)


def test_clock() -> None:
    assert [clock(s) for s in (None, 0, 61.4, 3600, 100_000)] == [
        *("–", "0:00", "1:01", "1:00:00"),
        "27:46:40",
    ]
