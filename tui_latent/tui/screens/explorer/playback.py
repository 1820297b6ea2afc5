"""Playing a run's evaluations one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.timer import Timer

PLAY_SECONDS: Final = 0.7
"""for which each evaluation is shown"""


class Playback:
    """Moves on to the next evaluation once the current one has been shown for its time."""

    def __init__(
        self, set_timer: Callable[[float, Callable[[], object]], Timer], move: Callable[[], bool]
    ) -> None:
        """`move` shows the next evaluation and returns whether there are more after it."""
        self._set_timer = set_timer
        self._move = move
        self._timer: Timer | None = None
        self.playing = False

    def start(self) -> None:
        """Play from the evaluation that is shown now."""
        self.playing = True
        self.shown()

    def stop(self) -> None:
        """Stay at the evaluation that is shown now."""
        self.playing = False

    def shown(self) -> None:
        """Leave the map that has just been drawn on the screen for its time."""
        if self.playing:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self._set_timer(PLAY_SECONDS, self._play_on)

    def _play_on(self) -> None:
        if self.playing:
            self.playing = self._move()
