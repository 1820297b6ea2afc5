"""How long training is expected to take, from earlier runs and from presets."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.tui.menus import presets
from tui_latent.config.presets import load_preset
from tui_latent.runs.schema import RunSummary, Status
from tui_latent.tui.expected_time import ExpectedTime, expected_time, expected_time_as_edited

__all__ = ["presets"]

MEASURED = "digits-contrastive-8d"
UNKNOWN = "digits-contrastive-2d"


@pytest.fixture(autouse=True)
def use_presets(presets: Path) -> None:
    """The measured one takes 1 min for 40 epochs on a CPU."""


def run(name: str, epochs: int, seconds: float, *changes: str) -> RunSummary:
    status = Status(
        "finished", host=platform.node(), device="cpu", seconds=seconds, total_epochs=epochs
    )
    return RunSummary(Path("r"), "r", name, status, 0.0, changes=changes)


def edited(name: str, runs: list[RunSummary], **settings: object) -> ExpectedTime | None:
    """Return the expected time with settings of `train` that were edited."""
    values = {f"train.{key}": value for key, value in settings.items()}
    changes = [f"{key}={value}" for key, value in values.items()]
    before, after = load_preset(name), load_preset(name, values)
    return expected_time_as_edited(name, (before, ()), (after, changes), "cpu", runs)


@pytest.mark.parametrize(
    ("settings", "seconds", "source"),
    [
        ({}, 60, "measured on a CPU"),
        ({"epochs": 80}, 120, "measured on a CPU with 40 epochs"),
        ({"epochs": 10, "lr": 0.5}, 15, "measured on a CPU with 40 epochs"),
        ({"batch_size": 64}, 60, "measured on a CPU; train.batch_size may change that"),
    ],
)
def test_an_edited_preset_takes_as_long_as_its_epochs(
    settings: dict[str, object], seconds: float, source: str
) -> None:
    assert edited(MEASURED, [], **settings) == ExpectedTime(seconds, source)


def test_a_run_with_the_same_settings_tells_more_than_the_preset() -> None:
    small = run(MEASURED, 40, 300.0, "train.batch_size=64")
    assert edited(MEASURED, [small], batch_size=64) == ExpectedTime(300, "like an earlier run here")
    twice = edited(MEASURED, [small], batch_size=64, epochs=80)
    assert twice == ExpectedTime(600, "like an earlier run here with 40 epochs")
    assert edited(MEASURED, [small]) == ExpectedTime(60, "measured on a CPU")


def test_what_nobody_measured_is_not_known() -> None:
    preset = load_preset(UNKNOWN)
    assert expected_time(UNKNOWN, preset, "cpu", []) is None
    assert expected_time(UNKNOWN, preset, "cuda", [run(UNKNOWN, 40, 9.0)]) is None
    assert edited(UNKNOWN, [], epochs=80) is None
    assert edited(UNKNOWN, [run(UNKNOWN, 40, 9.0)], epochs=80) == ExpectedTime(
        18, "like an earlier run here with 40 epochs"
    )
