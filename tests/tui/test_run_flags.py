"""Flags of a run's curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tui_latent.loss_weights import loss_weights
from tui_latent.runs.events import RunEvent
from tui_latent.runs.schema import Curve, RunSnapshot, Status
from tui_latent.tui.run_flags import latent_dimensions, run_flags

STAGES = [
    {"title": "128-D", "epochs": 6, "latent_dim": 128},
    {"title": "", "epochs": 2, "latent_dim": 2},
    {"title": "whole network", "epochs": 32, "latent_dim": 2},
]


def snapshot(step: int, collapsed: list[float] | None = None, *events: RunEvent) -> RunSnapshot:
    curves = {}
    if collapsed:
        steps, values = np.arange(1.0, len(collapsed) + 1) * 100, np.array(collapsed)
        curves["latent/collapsed"] = Curve(steps, steps, values, values, values, collapsed[-1], 0.0)
    return RunSnapshot(
        Path("run"),
        {"stages": STAGES, "method": {"latent_dim": 2}},
        status=Status(step=step, total_steps=4000, total_epochs=40),
        curves=curves,
        events=events,
    )


def test_stages_are_flagged_where_they_begin_once_they_have() -> None:
    assert [(f.step, f.text) for f in run_flags(snapshot(4000))] == [
        (600, "stage 2: 2-D"),
        (800, "stage 3: whole network"),
    ]
    assert len(run_flags(snapshot(700))) == 1
    assert run_flags(snapshot(599)) == ()


def test_a_collapse_is_flagged_where_it_begins_each_time() -> None:
    flags = run_flags(snapshot(500, [0, 1, 1, 0, 1]))
    assert [(f.step, f.text) for f in flags] == [(200, "collapsed"), (500, "collapsed")]


def test_what_people_did_is_flagged_and_stages_are_not_flagged_twice() -> None:
    events = [
        RunEvent(600, "", "stage", "Stage 2 begins."),
        RunEvent(650, "", "resume", "Resumed on another GPU."),
        RunEvent(610, "", "rate", "Learning rate 0.2 → 0.1."),
        RunEvent(620, "", "of a later version", "Something new"),
    ]
    flags = run_flags(snapshot(700, None, *events))
    assert [flag.words for flag in flags] == [
        "▾ stage 2: 2-D",
        "↕ Learning rate 0.2 → 0.1",
        "· Something new",
        "↻ Resumed on another GPU",
    ]


def test_a_stage_decides_how_many_numbers_a_latent_has() -> None:
    run = snapshot(4000)
    assert [latent_dimensions(run, step) for step in (1, 600, 601, 9000)] == [128, 128, 2, 2]


@pytest.mark.parametrize(
    "preset",
    [{"stages": "three", "method": "x"}, {"stages": [{}, 3]}, {"method": {"latent_dim": "2"}}],
)
def test_a_damaged_preset_has_no_flags_of_stages(preset: dict[str, object]) -> None:
    run = replace(snapshot(4000), preset=preset)
    assert run_flags(run) == () and latent_dimensions(run, 10) is None and loss_weights(run) is None
