"""Which stage a step belongs to, and its learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui_latent.config.settings import Preset, StageSettings


@dataclass(frozen=True)
class Stage:
    """One stage of training and the steps it spans: `first <= step < end`."""

    settings: StageSettings
    index: int
    first: int
    end: int
    steps_per_epoch: int


def plan_stages(preset: Preset, steps_per_epoch: int) -> tuple[Stage, ...]:
    """Lay the preset's stages end to end; `steps_per_epoch` is at least 1."""
    stages: list[Stage] = []
    first = 0
    for index, settings in enumerate(preset.training_stages()):
        end = first + settings.epochs * steps_per_epoch
        stages.append(Stage(settings, index, first, end, steps_per_epoch))
        first = end
    return tuple(stages)


def stage_at(stages: tuple[Stage, ...], step: int) -> Stage:
    """Return the stage that the next update belongs to after `step` updates."""
    return next((stage for stage in stages if step < stage.end), stages[-1])


def lr_at(step: int, stage: Stage, schedule: str) -> float:
    """Return the learning rate of the update after `step` others: linear warm-up, then cosine."""
    done = step - stage.first
    warmup = round(stage.settings.warmup_epochs * stage.steps_per_epoch)
    if done < warmup:
        return stage.settings.lr * (done + 1) / warmup
    if schedule == "constant":
        return stage.settings.lr
    share = (done - warmup) / max(stage.end - stage.first - warmup, 1)
    return stage.settings.lr * 0.5 * (1.0 + math.cos(math.pi * share))
