"""Cached results that are valid until the run has newer latents."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tui_latent.analysis.run_latents import RunLatents

T = TypeVar("T")


class Cache(Generic[T]):
    """One result for the newest latents; computed again when newer ones come.

    Thread-safe.
    """

    def __init__(self, work_out: Callable[[RunLatents], T]) -> None:
        self._work_out = work_out
        self._mutex = threading.Lock()
        self._known: tuple[RunLatents, T] | None = None

    def of(self, latents: RunLatents) -> T:
        """Return the result for these latents."""
        with self._mutex:
            if self._known is None or self._known[0] is not latents:
                self._known = latents, self._work_out(latents)
            return self._known[1]
