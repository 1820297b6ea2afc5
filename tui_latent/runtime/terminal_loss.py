"""Notice that the terminal has gone, as when a connection drops, and detach from it."""

from __future__ import annotations

import errno
import os
import select
import termios
import threading
from collections.abc import Callable
from typing import Final

ONE_LOSS: Final = 1.0
"""seconds within which hangups are one loss: kernel, shell and `when_gone` all report it"""

_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


def terminal_is_gone() -> bool:
    """Return whether the terminal on standard input has hung up."""
    return _wait_for_hangup(0)


def when_gone(call: Callable[[], object]) -> None:
    """Have a thread call `call` once the terminal on standard input hangs up.

    The kernel also sends SIGHUP, but not to a process that ignores it or has left the session.
    """

    def watch() -> None:
        if _wait_for_hangup(None):
            call()

    threading.Thread(target=watch, name="hangup-watch", daemon=True).start()


def release_terminal() -> None:
    """Replace a terminal on the standard streams by nothing, so that using them never fails."""
    never_read, _ = os.pipe()  # while its other end stays open, a reader waits and costs nothing
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor, instead in ((0, never_read), (1, nowhere), (2, nowhere)):
        if _is_terminal(descriptor):
            os.dup2(instead, descriptor)


def _wait_for_hangup(milliseconds: int | None) -> bool:
    poll = select.poll()
    poll.register(0, 0)
    return any(event & _GONE for _, event in poll.poll(milliseconds))


def _is_terminal(descriptor: int) -> bool:
    """Return whether a descriptor is a terminal, even one that has hung up (unlike isatty)."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error as error:
        return bool(error.args[0] == errno.EIO)
    return True
