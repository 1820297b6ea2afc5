"""The rate in words, whichever of record and status is read first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tui_latent.runs.schema import Curve, RunSnapshot, Status
from tui_latent.tui.format import rate
from tui_latent.tui.screens.dashboard.learning_rate import ScheduledRate


def snapshot(recorded: float, factor: float) -> RunSnapshot:
    one = np.array([recorded])
    curve = Curve(one, one, one, one, one, recorded, recorded)
    return RunSnapshot(Path("run"), status=Status(lr_factor=factor), curves={"train/lr": curve})


def test_it_knows_no_rate_before_the_first_record() -> None:
    assert ScheduledRate().words(1.0, 2.0) == "lr 2 × the schedule"


@pytest.mark.parametrize("recorded", [3e-3, 6e-3, 2.9e-3, 5.8e-3])
def test_a_record_with_the_old_factor_or_the_new_one_gives_the_same_schedule(
    recorded: float,
) -> None:
    scheduled = ScheduledRate()
    scheduled.update(snapshot(3e-3, 1.0))
    scheduled.update(snapshot(recorded, 2.0))
    assert scheduled.words(1.0, 2.0)[:9] in ("lr 3e-3 →", "lr 2.9e-3")


def test_back_at_the_schedule_it_says_so() -> None:
    scheduled = ScheduledRate()
    scheduled.update(snapshot(6e-3, 2.0))
    assert scheduled.words(2.0, 1.0) == "lr 6e-3 → 3e-3 (as scheduled)"


@pytest.mark.parametrize(
    ("value", "text"), [(3e-3, "3e-3"), (1.5e-3, "1.5e-3"), (1.0, "1e0"), (9.99e-4, "1e-3")]
)
def test_rates_have_two_digits_at_most(value: float, text: str) -> None:
    assert rate(value) == text
