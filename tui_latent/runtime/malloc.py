"""Keep freed memory in the C library's heap: each training step allocates the same again."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""numbers of malloc.h"""
_LARGEST_KEPT: Final = 1 << 30
"""bytes of one block; larger ones still come from the kernel each time"""


def keep_freed_memory() -> None:
    """Keep freed blocks for the next step; call it before any thread starts.

    Otherwise glibc gives large blocks back to the kernel, which clears all their pages at the next
    step: on two CPU cores a contrastive step of 4,096 pairs took 2.5 times as long, and one of
    1,024 pairs 1.2 times. Threads share one arena, because arenas of their own are limited to
    64 MB. Without glibc this does nothing.
    """
    for option, value in (
        (_TRIM_THRESHOLD, -1),  # never
        (_MMAP_THRESHOLD, _LARGEST_KEPT),
        (_ARENA_MAX, 1),
    ):
        _call("mallopt", option, value)


def trim_memory() -> None:
    """Return free memory to the system, after training has ended."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
