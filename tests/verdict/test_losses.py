"""Losses that are not finite, that overfit, or that were still falling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.verdict.snapshots import FINISHED, curve, kinds, only, run
from tui_latent.runs.schema import Curve
from tui_latent.verdict import judge

RANDOM = np.random.default_rng(0)
STEPS = np.arange(100)


def test_a_loss_that_became_nan_names_the_last_step_that_was_finite() -> None:
    found = only(judge(run(curves={"train/loss": curve([3, 2, 1, np.nan, np.nan])})), "not finite")
    assert found.sentence == "The loss is not finite after step 30." and found.severity == "bad"
    recovered = judge(run(curves={"train/loss": curve([3, np.inf, 1])}))
    assert only(recovered, "not finite").severity == "warning"
    assert only(recovered, "not finite").sentence == (
        "The loss was not finite in 1 record, but is finite again."
    )


def test_a_failed_run_says_why_first() -> None:
    failed = replace(FINISHED, state="failed", error="the loss is NaN.", step=40)
    verdict = judge(run(status=failed))
    assert verdict.line(50) == "Failed at step 40: the loss is NaN."
    exact = replace(failed, error="the loss became nan at step 37.")
    assert judge(run(status=exact)).line(60) == "Failed: the loss became nan at step 37."
    advice = "Retry the run at half the learning rate."
    long = judge(run(status=replace(exact, error=f"{exact.error} {advice}")))
    cause = "Failed: the loss became nan at step 37."
    for width in (len(cause), 60, 79):
        assert long.line(width) == cause
    assert long.line(80) == f"{cause} {advice}"
    assert long.line(len(cause) - 1).endswith("…")


def overfits(noise: float = 0.0, rise: float = 0.5) -> dict[str, Curve]:
    held_out = 1 + np.maximum(0, STEPS - 40) * rise / 60 + np.maximum(0, 40 - STEPS) / 20
    held_out += noise * RANDOM.normal(size=100)
    return {"train/loss": curve(2 - STEPS / 60), "val/loss": curve(held_out)}


@pytest.mark.parametrize(
    ("error", "sentence", "evidence"),
    [
        (
            "ValueError: no [such] class\nthe traceback is in train.log",
            "Failed at step 40: ValueError: no [such] class.",
            "The traceback is in",
        ),
        (
            "the GPU is lost\nits driver must be restarted.",
            "Failed at step 40: the GPU is lost; its driver must be restarted.",
            "The log is in",
        ),
        (
            "the traceback is in train.log",
            "Failed at step 40: the traceback is in",
            "The traceback",
        ),
    ],
    ids=["traceback", "two lines", "no reason"],
)
def test_the_reason_is_a_sentence_whatever_lines_it_had(
    error: str, sentence: str, evidence: str
) -> None:
    status = replace(FINISHED, state="failed", error=error, step=40)
    finding = judge(run(status=status)).findings[0]
    assert finding.sentence.startswith(sentence)
    assert finding.evidence.startswith(evidence)


def test_a_held_out_loss_that_rises_while_training_falls_is_overfitting() -> None:
    found = only(judge(run(curves=overfits())), "overfitting")
    step = int(found.sentence.split("step ")[1].split(":")[0])
    assert 380 <= step <= 440


@pytest.mark.parametrize("changes", [{"rise": 0.02}, {"noise": 0.5, "rise": 0.1}])
def test_a_small_rise_or_one_within_the_noise_is_none(changes: dict[str, float]) -> None:
    assert "overfitting" not in kinds(judge(run(curves=overfits(**changes))))


def test_both_losses_rising_is_something_else() -> None:
    curves = overfits() | {"train/loss": curve(1 + STEPS / 60)}
    assert "overfitting" not in kinds(judge(run(curves=curves)))


def test_a_new_stage_with_another_loss_is_not_overfitting() -> None:
    table = {"method": {"latent_dim": 2}, "stages": [{"epochs": 4}, {"epochs": 6}]}
    held_out = np.where(STEPS < 40, 1.0, 3 - STEPS / 100)
    curves = {"train/loss": curve(2 - STEPS / 60), "val/loss": curve(held_out)}
    assert "overfitting" not in kinds(judge(run(curves=curves, preset=table)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (3 - STEPS / 50, True),
        (1 + 2 * np.exp(-STEPS / 10), False),
        (1 + RANDOM.normal(size=100), False),
        (1 + STEPS / 100, False),
    ],
)
def test_only_a_loss_that_really_falls_at_the_end_was_still_falling(
    values: np.ndarray, said: bool
) -> None:
    assert ("still falling" in kinds(judge(run(curves={"train/loss": curve(values)})))) is said


def test_a_live_or_stopped_run_is_not_told_to_go_on() -> None:
    curves = {"train/loss": curve(3 - STEPS / 50)}
    for state in ("running", "stopped"):
        status = replace(FINISHED, state=state)
        assert "still falling" not in kinds(judge(run(curves=curves, status=status)))
