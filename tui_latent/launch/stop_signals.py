"""Signals that ask a run to stop and save."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from tui_latent.runs.control import request
from tui_latent.runs.schema import RunError
from tui_latent.runtime.terminal_loss import ONE_LOSS, release_terminal, when_gone

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FOR_THE_SWEEP: Final = (signal.SIGINT, signal.SIGTERM)
"""signals that stop a sweep, and that the forkserver leaves to it"""


@contextmanager
def stopping_on_signals(path: Path) -> Iterator[Set[int]]:
    """Turn SIGINT and SIGTERM into a request to stop and save, and SIGHUP too after a first one.

    Yields the signals received. The earlier handlers are restored, except for signals ignored
    by then.
    """
    heard: set[int] = set()
    asking = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal asking
        heard.add(number)
        if asking:  # the signal interrupted this very function, which holds the request's lock
            return
        asking = True
        try:
            request(path, state="stop")
        except RunError as error:
            signal.signal(number, signal.SIG_DFL)
            sys.stderr.write(f"tui-latent: {error}; the next signal ends it without saving\n")
        finally:
            asking = False

    lost_at: list[float] = []

    def release(number: int, frame: FrameType | None) -> None:
        release_terminal()
        lost_at.append(time.monotonic())
        if lost_at[-1] - lost_at[0] > ONE_LOSS:
            stop(number, frame)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in zip(_SIGNALS, (stop, stop, release), strict=True):
        if before[number] is not signal.SIG_IGN:  # nohup
            signal.signal(number, handler)
    if os.isatty(0):
        when_gone(lambda: os.kill(os.getpid(), signal.SIGHUP))
    try:
        yield heard
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, earlier)
