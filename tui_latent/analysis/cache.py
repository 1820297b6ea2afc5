"""Answers that cost time and hold as long as the run has no newer latents."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tui_latent.analysis.run_data import RunLatents

T = TypeVar("T")


class Cache(Generic[T]):
    """One answer about the newest latents; worked out again when newer ones come.

    Safe to ask from several threads.
    """

    def __init__(self, work_out: Callable[[RunLatents], T]) -> None:
        self._work_out = work_out
        self._mutex = threading.Lock()
        self._known: tuple[RunLatents, T] | None = None

    def of(self, latents: RunLatents) -> T:
        """Return the answer about these latents."""
        with self._mutex:
            if self._known is None or self._known[0] is not latents:
                self._known = latents, self._work_out(latents)
            return self._known[1]
