"""What a dashboard asks of a watched loop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """The requests as they stand; the same object until something else is asked."""

    pause: bool = False
    """whether the loop should wait: `wait_while_paused` does"""
    stop: bool = False
    """whether the loop should end"""
    checkpoint: bool = False
    """whether a checkpoint was asked for since the last `checkpoint_saved`"""
    lr_factor: float = 1.0
    """what the loop's own learning rate should be multiplied by"""
