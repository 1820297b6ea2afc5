"""Which of several runs is better, beyond the noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.verdict.snapshots import run
from tui_latent.comparison import compare
from tui_latent.runs.schema import RunSnapshot
from tui_latent.verdict.comparing import comparison_line, surely_better


def named(name: str, accuracy: float | None, images: int = 2000) -> RunSnapshot:
    return replace(run(accuracy, images=images), path=Path(f"runs/{name}"))


def test_the_best_and_the_surely_worse_are_told_from_what_noise_explains() -> None:
    shown = compare([named("alpha", 0.90), named("beta", 0.969), named("gamma", 0.966)])
    assert comparison_line(shown) == (
        "Best: beta, kNN@20 0.969. Worse: alpha (0.900). "
        "Within the noise of 2,000 images: gamma (0.966)."
    )


def test_few_images_cannot_tell_runs_apart() -> None:
    shown = compare([named("alpha", 0.95, 100), named("beta", 0.97, 100)])
    assert comparison_line(shown) == (
        "kNN@20 of beta is 0.970; 100 held-out images cannot tell it from alpha (0.950)."
    )


def test_runs_on_other_data_are_not_ranked() -> None:
    other = replace(
        named("beta", 0.5), preset={"data": {"source": "mnist"}, "method": {"name": "contrastive"}}
    )
    assert "different data" in comparison_line(compare([named("alpha", 0.9), other]))


def test_nothing_is_said_without_two_accuracies() -> None:
    assert comparison_line(compare([named("alpha", None), named("beta", 0.9)])) == ""


def test_equal_runs_are_called_different_in_about_one_case_of_twenty() -> None:
    random, wrong = np.random.default_rng(0), 0
    for _ in range(1000):
        one, other = sorted(random.binomial(500, 0.95, 2) / 500)
        wrong += surely_better(float(other), 500, float(one), 500)
    assert wrong < 70, "of other images; of the same ones, fewer"
