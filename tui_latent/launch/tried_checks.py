"""Checks of a plugin, one after the other, whatever its code raises."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_latent.plugins.loading import plugin_trouble


@dataclass(frozen=True)
class Check:
    """One thing that was tried."""

    title: str
    problem: str = ""
    """what is wrong and what to do; empty if nothing is"""
    tried: bool = True
    """False if an earlier problem made it impossible"""


class WrongError(Exception):
    """What a check found; the message is a sentence."""


def tried(
    steps: Sequence[tuple[str, Callable[[], None]]],
    needed: Container[int],
    file: Path | None = None,
) -> list[Check]:
    """Run checks in order, each with its title.

    If one at a place in `needed` raises anything but a WrongError, no later one is tried. What is
    raised is reported with the last line of `file` that led to it.
    """
    checks: list[Check] = []
    stopped = False
    for number, (title, check) in enumerate(steps):
        if stopped:
            checks.append(Check(title, tried=False))
            continue
        try:
            check()
        except WrongError as wrong:
            checks.append(Check(title, str(wrong)))
        except Exception as error:  # whatever the plugin's code raises
            checks.append(Check(title, plugin_trouble(error, file)))
            stopped = number in needed
        else:
            checks.append(Check(title))
    return checks
