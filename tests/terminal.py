"""A program on a real pseudo-terminal, and its screen as a person would see it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pyte

from tests.waiting import Deadline

_LONGEST_READ = 0.5


class Terminal:
    """`tui-latent` with arguments on a pty of `columns` x `lines`; `screen()` is what it shows."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 120,
        lines: int = 40,
        answers: Mapping[bytes, bytes] = {},
        program: str = "",
        rate: int | None = None,
        **environment: str,
    ) -> None:
        """`answers` are what the terminal replies to what a program asks it; `program` is Python
        code to run in the place of `tui-latent`. What it paints comes over a line of `rate` bytes a
        second (None: no limit), whose buffers take everything at once."""
        self._answers, self._rate = answers, rate
        self._line, self._arrived = b"", time.monotonic()
        self._answered = 0
        self._emulator = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._emulator)
        self.painted = b""
        self.status: int | None = None
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            _set_size(0, columns, lines)
            command = [str(Path(sys.executable).with_name("tui-latent"))]
            if program:
                command = [sys.executable, "-c", program]
            self._become([*command, *arguments], {"TERM": "xterm-256color", **environment})

    @staticmethod
    def _become(command: list[str], environment: dict[str, str]) -> None:
        # Under nohup the tests ignore hangups, which a program in a new terminal does not.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        # readline puts LINES and COLUMNS behind os.environ's back; they would hide the pty's size.
        clean = {name: v for name, v in os.environ.items() if name not in ("LINES", "COLUMNS")}
        os.execve(command[0], command, clean | environment)

    def resize(self, columns: int, lines: int) -> None:
        """Change the terminal's size, as dragging its corner does."""
        self.claim_size(columns, lines)
        self._emulator.resize(lines, columns)

    def claim_size(self, columns: int, lines: int) -> None:
        """Tell the program of a size that the terminal does not have."""
        _set_size(self._file, columns, lines)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._file, keys.encode())

    def send(self, data: bytes, seconds: float = 30.0) -> None:
        """Send bytes as fast as the program takes them, and read what it paints meanwhile."""
        os.set_blocking(self._file, False)
        deadline = Deadline(seconds)
        while data:
            assert not deadline.passed(), f"{len(data)} bytes are not taken:\n{self.screen()}"
            assert self.status is None, f"ended with {self.status}:\n{self.screen()}"
            with suppress(BlockingIOError):
                data = data[os.write(self._file, data) :]
            self._read(0.0 if data else 0.01)
        os.set_blocking(self._file, True)

    def screen(self) -> str:
        """Return what is on the screen now, a line per row."""
        self._read(0.0)
        return "\n".join(self._emulator.display)

    def wait_for(self, *texts: str, seconds: float = 30.0) -> str:
        """Return the screen as soon as it shows any of `texts`; AssertionError with the screen."""
        deadline = Deadline(seconds)
        while True:
            screen = self.screen()
            if any(text in screen for text in texts):
                return screen
            assert not deadline.passed(), f"none of {texts} in time:\n{screen}"
            assert self.status is None, f"ended with {self.status} before {texts}:\n{screen}"
            self._read(0.1)

    def wait_for_match(self, pattern: bytes, seconds: float = 30.0) -> None:
        """Return once the program has sent something that matches a regular expression."""
        deadline = Deadline(seconds)
        while not re.search(pattern, self.painted):
            assert not deadline.passed(), f"{pattern!r} never came:\n{self.screen()}"
            self._read(0.1)

    def row(self, line: int) -> list[pyte.screens.Char]:
        """Return the characters of a line, with their colours."""
        self._read(0.0)
        return [self._emulator.buffer[line][column] for column in range(self._emulator.columns)]

    def wait_for_end(self, seconds: float = 30.0) -> int:
        """Return the exit status once the program has ended."""
        deadline = Deadline(seconds)
        while self.status is None:
            assert not deadline.passed(), f"still running:\n{self.screen()}"
            self._read(0.1)
        return self.status

    def hang_up(self) -> None:
        """Close the terminal under the program, as a dropped connection does."""
        os.close(self._file)
        self._file = -1

    @property
    def memory(self) -> int:
        """Bytes of memory that the program uses now."""
        pages = Path(f"/proc/{self._pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        """Kill the program if it still runs."""
        if self.status is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        if self._file >= 0:
            os.close(self._file)

    @property
    def underway(self) -> bytes:
        """What the program has sent and the line has not delivered yet."""
        self._read(0.0)
        return self._line

    @property
    def answered(self) -> int:
        """Questions so far that the terminal has answered."""
        self._read(0.0)
        return self._answered

    def _deliver(self) -> None:
        """Show and answer what the line has carried since the last call."""
        now, most = time.monotonic(), len(self._line)
        if self._rate is not None:
            most = min(most, int((now - self._arrived) * self._rate))
        if most or not self._line:
            self._arrived = now
        chunk, self._line = self._line[:most], self._line[most:]
        for question, answer in self._answers.items():
            begun = self.painted[len(self.painted) - len(question) + 1 :]
            for _ in range((begun + chunk).count(question)):
                with suppress(OSError):  # the program has ended
                    os.write(self._file, answer)
                    self._answered += 1
        self.painted += chunk
        self._stream.feed(chunk)

    def _read(self, seconds: float) -> None:
        """Read what comes within some seconds, and what follows it without a pause.

        A program that paints faster than it is read here keeps nobody from typing.
        """
        end = time.monotonic() + seconds + _LONGEST_READ
        while time.monotonic() < end and select.select([self._file], [], [], seconds)[0]:
            try:
                chunk = os.read(self._file, 1 << 16)
            except OSError:  # the program closed its end
                chunk = b""
            if not chunk:
                break
            self._line += chunk
            self._deliver()
            seconds = 0.0
        self._deliver()
        pid, status = (0, 0) if self.status is not None else os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self.status = os.waitstatus_to_exitcode(status)


def _set_size(file: int, columns: int, lines: int) -> None:
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
