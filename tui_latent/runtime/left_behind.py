"""End a process beside threads that were left behind in the middle of their work."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

LEFT_BEHIND: Final = "ahead"
"""how the names begin of threads that may be left behind"""


@contextmanager
def ending_beside_threads() -> Iterator[None]:
    """Run the whole of a program; at its end, let threads that were left behind end with it.

    Python's own end stops such a thread as soon as it asks for the interpreter. Within a function
    of torch, that calls `std::terminate`: a stopped run would end with a core dump.
    """
    try:
        yield
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
        _end_if_any(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        raise SystemExit(1 if isinstance(ended.code, str) else ended.code) from None
    _end_if_any(0)


def _end_if_any(code: int) -> None:
    if any(thread.name.startswith(LEFT_BEHIND) for thread in threading.enumerate()):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # its reader has gone, as with `| head`
                stream.flush()
        os._exit(code)
