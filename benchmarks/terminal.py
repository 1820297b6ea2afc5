"""A program on a pseudo-terminal of a chosen size, with the times of its output."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence

NOT_A_USERS = ("COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE")
"""the first two would hide the pty's size; the last makes every start compile the package anew"""


class Terminal:
    """Runs a program on a pty and reads what it paints; the clock starts at the fork."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 120,
        lines: int = 40,
    ) -> None:
        self.started = time.perf_counter()
        self.painted = b""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            # In the child, before the program can ask for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            clean = {name: v for name, v in os.environ.items() if name not in NOT_A_USERS}
            os.execve(command[0], list(command), {**clean, "TERM": "xterm-256color"})

    def wait_for(self, text: bytes, seconds: float = 30.0) -> float:
        """Read until `text` was painted; return the seconds since the start. TimeoutError."""
        while text not in self.painted:
            if time.perf_counter() - self.started > seconds:
                raise TimeoutError(f"{text!r} was not painted in {seconds} s")
            if not self.read(0.05) and self.ended():
                raise TimeoutError(f"the program ended before it painted {text!r}")
        return time.perf_counter() - self.started

    def read(self, seconds: float) -> bytes:
        """Return what is painted within `seconds`, as soon as there is anything."""
        ready, _, _ = select.select([self.file], [], [], seconds)
        if not ready:
            return b""
        try:
            chunk = os.read(self.file, 1 << 16)
        except OSError:  # the other end closed
            return b""
        self.painted += chunk
        return chunk

    def send(self, keys: bytes) -> None:
        """Type `keys`."""
        os.write(self.file, keys)

    def ended(self) -> bool:
        """Return whether the program has ended."""
        pid, _ = os.waitpid(self.pid, os.WNOHANG)
        return pid != 0

    def kill(self) -> None:
        """Kill the program."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.file)
