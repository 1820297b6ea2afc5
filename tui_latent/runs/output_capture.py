"""Keep what libraries print off the screen: every line goes to a function instead."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO, cast

from tui_latent.runtime.sanitize import plain_line


@contextmanager
def captured_output(write: Callable[[str], None]) -> Iterator[None]:
    """Send each line of `sys.stdout`, `sys.stderr`, `warnings` and `logging` to `write`.

    This covers all threads until the end of the block; the file descriptors stay as they are, so
    that a screen can keep drawing on them. What `write` itself prints is dropped.
    """
    with ExitStack() as stack:
        for name in ("stdout", "stderr"):
            stack.enter_context(_replaced_stream(name, write))
        yield


@contextmanager
def _replaced_stream(name: str, write: Callable[[str], None]) -> Iterator[None]:
    """Replace one stream, and in the log handlers that hold it."""
    before: TextIO = getattr(sys, name)
    originals = (before, getattr(sys, f"__{name}__"))
    stream = _LineStream(before, write)
    text_stream = cast(TextIO, stream)
    handlers = [h for h in _stream_handlers() if any(h.stream is o for o in originals)]
    held = [handler.stream for handler in handlers]
    for handler in handlers:
        handler.setStream(text_stream)
    setattr(sys, name, stream)
    try:
        yield
    finally:
        if getattr(sys, name) is stream:  # else another took it over, and gives it back itself
            setattr(sys, name, before)
        for handler, old in zip(handlers, held, strict=True):
            if handler.stream is text_stream:
                handler.setStream(old)
        stream.end()


def _stream_handlers() -> list[logging.StreamHandler[TextIO]]:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [h for logger in loggers for h in getattr(logger, "handlers", ())]
    return [h for h in handlers if isinstance(h, logging.StreamHandler)]


class _LineStream(io.TextIOBase):
    """A text stream that hands on whole lines, of each thread by itself.

    After `end` it passes everything to the stream that it stood in for, because libraries
    keep what they once found in `sys.stderr`.
    """

    def __init__(self, before: TextIO, write: Callable[[str], None]) -> None:
        self._before = before
        self._write = write
        self._mutex = threading.Lock()
        self._open_lines: dict[int, str] = {}
        self._writing: set[int] = set()
        self._ended = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._ended:
            return self._before.write(text)
        thread = threading.get_ident()
        if thread in self._writing:
            return len(text)
        with self._mutex:
            *lines, rest = (self._open_lines.pop(thread, "") + text).split("\n")
            if rest:
                self._open_lines[thread] = _last_drawn(rest)
        self._hand_on(thread, lines)
        return len(text)

    def flush(self) -> None:
        if self._ended:
            self._before.flush()

    def end(self) -> None:
        """Pass on the unfinished lines, and from now on everything to the original stream."""
        self._ended = True
        with self._mutex:
            lines, self._open_lines = list(self._open_lines.values()), {}
        self._hand_on(threading.get_ident(), lines)

    def _hand_on(self, thread: int, lines: list[str]) -> None:
        self._writing.add(thread)
        try:
            for line in lines:
                self._write(plain_line(line))
        finally:
            self._writing.discard(thread)


def _last_drawn(line: str) -> str:
    """Return what matters of an unfinished line: the last text drawn, and whether it is final."""
    drawn, returned, after = line.rpartition("\r")
    return after if after or not returned else drawn.rstrip("\r").rpartition("\r")[2] + "\r"
