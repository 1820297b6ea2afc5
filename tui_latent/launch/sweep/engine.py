"""What a sweep asks of an engine, and what every engine runs: one trial until it ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class EngineError(Exception):
    """An engine that cannot be used; the message says why, and what to do."""


class Engine(Protocol):
    """Trains runs, some at a time."""

    def room(self) -> int:
        """Return how many more runs can be given to it now."""

    def start(self, paths: Sequence[Path]) -> None:
        """Train these runs, or resume them; returns at once. EngineError if it cannot."""

    def ended(self) -> list[tuple[Path, str]]:
        """Return the runs whose training has ended since the last call.

        With each why its process failed; empty if its status says how it ended.
        """

    def close(self) -> None:
        """End what the engine has started, once no run is training."""
