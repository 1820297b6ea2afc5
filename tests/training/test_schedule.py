from __future__ import annotations

import math

import pytest

from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset, StageSettings
from tui_latent.training.schedule import lr_at, plan_stages, stage_at


def staged() -> Preset:
    preset = load_preset("digits-contrastive-2d")
    stages = (
        StageSettings(epochs=3, latent_dim=16, lr=0.1, warmup_epochs=1.0),
        StageSettings(epochs=1, latent_dim=2, lr=0.5, trainable="latent layer"),
        StageSettings(epochs=2, latent_dim=2, lr=0.01),
    )
    return preset.model_copy(update={"stages": stages})


def test_stages_lie_end_to_end_and_cover_every_step() -> None:
    stages = plan_stages(staged(), steps_per_epoch=10)
    assert [(s.first, s.end) for s in stages] == [(0, 30), (30, 40), (40, 60)]
    assert [stage_at(stages, step).index for step in (0, 29, 30, 39, 40, 59, 60)] == [
        0, 0, 1, 1, 2, 2, 2,
    ]  # fmt: skip


def test_learning_rate_rises_linearly_then_falls_along_a_cosine_to_nearly_zero() -> None:
    stage = plan_stages(staged(), steps_per_epoch=10)[0]
    rates = [lr_at(step, stage, "cosine") for step in range(30)]
    assert rates[:10] == pytest.approx([0.01 * (i + 1) for i in range(10)])
    assert rates[10] == pytest.approx(0.1)
    assert rates[20] == pytest.approx(0.05)
    assert rates[29] == pytest.approx(0.05 * (1 + math.cos(math.pi * 19 / 20)))
    assert 0 < rates[29] < 0.001


def test_constant_schedule_stays_at_the_peak_after_the_warm_up() -> None:
    stage = plan_stages(staged(), steps_per_epoch=10)[0]
    assert [lr_at(step, stage, "constant") for step in (9, 10, 29)] == pytest.approx([0.1] * 3)
