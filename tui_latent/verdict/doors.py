"""The places that findings lead to, by the dashboard's keys."""

from __future__ import annotations

from typing import Final

from tui_latent.verdict.finding import Door

_VERDICT: Final = "verdict.open"
"""where a finding is chosen that no key of the dashboard leads to"""
EVALUATION: Final = Door("evaluation", "view.evaluate", "the evaluation")
MAP: Final = Door("map", "view.explore", "the map")
IMAGES: Final = Door("images", "view.images", "images and their reconstructions")
CURVES: Final = Door("curves", _VERDICT, "the curves, full-screen")
LOG: Final = Door("log", _VERDICT, "the log")


def map_at(step: int) -> Door:
    """Return the map of an earlier evaluation."""
    return Door("map", "view.explore", f"the map of step {step:,}", step=step)


def confused(truth: int, called: int, noun: str) -> Door:
    """Return the held-out images of one class that are taken for another; `noun` names one."""
    return Door("confusion", _VERDICT, f"these {noun}s on the map", truth, called)
