"""What a sweep asks of an engine, and what every engine runs: one trial until it ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


class EngineError(Exception):
    """An engine that cannot be used; the message says why, and what to do."""


class Ended(NamedTuple):
    """A run whose training has ended."""

    path: Path
    problem: str = ""
    """why its process failed; empty if its status says how it ended"""
    cancelled: bool = False
    """whether someone has ended it from outside, who does not want it tried again"""


class Engine(Protocol):
    """Trains runs, some at a time."""

    def room(self) -> int:
        """Return how many more runs can be given to it now."""

    def start(self, paths: Sequence[Path]) -> None:
        """Train these runs, or resume them; returns at once. EngineError if it cannot."""

    def ended(self) -> list[Ended]:
        """Return the runs whose training has ended since the last call."""

    def close(self) -> None:
        """End what the engine has started, once no run is training."""
