"""Reads and writes a real terminal: Textual's driver, but for what comes from the terminal.

Textual's own (8.2, `LinuxDriver.run_input_thread`) ends the application at a byte that is no UTF-8,
and queues what comes faster than it can be acted on, without a bound.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import re
import select
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from textual import events
from textual.app import ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui_latent.tui.terminal_parser import LARGEST_SCREEN, LONGEST_PASTE, TerminalParser

_BLOCK: Final = 4096
_FLOOD: Final = 2048
"""bytes waiting at once that nobody can have typed"""
_READ_WHOLE: Final = 2 * (LONGEST_PASTE + _BLOCK)
"""bytes of a flood that are parsed whole: all that is kept of a paste is in them"""
_LOOK: Final = 0.05
"""seconds between two looks at whether to end; a pause of that length ends a flood"""
_PATIENCE: Final = 0.5
"""seconds for a widget to deal with a key; one that is being removed never says that it has"""
_ROUNDS: Final = 2
"""a key may make a widget send a message of its own, which is dealt with in the second round"""

_MATTERS: Final = re.compile(
    rb"\x1b(?:\[20[01]~|[]P_^X\\])|[\x07\x18\x1a]|.{1,64}\Z", flags=re.DOTALL
)
_INPUT: Final = (events.InputEvent, events.AppFocus, events.AppBlur)


class TerminalDriver(LinuxDriver):
    """Reads a terminal no faster than the application acts on it.

    A key is passed on once the widgets have dealt with the one before it, so that keys that come
    together (typed ahead, or pasted) mean what they mean one by one. Of a flood, which nobody
    typed, only the last event is passed on: it may be somebody who tries whether a key still works.
    """

    def run_input_thread(self) -> None:
        """Read until the driver is told to stop reading."""
        parser = TerminalParser(self._debug)
        flood, last = 0, None
        while not self.exit_event.is_set():
            block = self._block()
            flood = flood + len(block) if block and (flood or len(block) >= _FLOOD) else 0
            if flood > _READ_WHOLE:
                block = gist(block)
            found = [*(parser.feed(block.decode("latin-1")) if block else ()), *parser.tick()]
            if flood:
                last = next((m for m in reversed(found) if isinstance(m, _INPUT)), last)
                found = [message for message in found if not isinstance(message, _INPUT)]
            elif last is not None:
                found, last = [last, *found], None
            if found:
                self._wait_until_dealt_with(found)

    def send_message(self, message: Message) -> None:
        """Put a message into the application's queue."""
        self._app.post_message(message)

    def _query_in_band_window_resize(self) -> None:
        """Do not ask for sizes within the input: the system tells them."""

    def _get_terminal_size(self) -> tuple[int, int]:
        columns, lines = super()._get_terminal_size()
        return min(columns, LARGEST_SCREEN[0]), min(lines, LARGEST_SCREEN[1])

    def _block(self) -> bytes:
        """Return what has come; nothing after a while, or when the terminal is gone."""
        try:
            if not select.select([self.fileno], [], [], _LOOK)[0]:
                return b""
            block = os.read(self.fileno, _BLOCK)
        except OSError:
            block = b""
        if not block:
            self.exit_event.wait(_LOOK)
        return block

    def _wait_until_dealt_with(self, found: Sequence[Message]) -> None:
        future = asyncio.run_coroutine_threadsafe(self._pass_on(found), self._loop)
        while not self.exit_event.is_set():
            with suppress(concurrent.futures.TimeoutError):
                future.result(_LOOK)
                return
        future.cancel()

    async def _pass_on(self, found: Sequence[Message]) -> None:
        for message in found:
            self.process_message(message)
            if isinstance(message, (events.Key, events.Paste)):
                await self._dealt_with()
        await self._dealt_with()

    async def _dealt_with(self) -> None:
        """Wait until the widget with the focus and those around it have emptied their queues."""
        for _ in range(_ROUNDS):
            with suppress(ScreenStackError, TimeoutError):
                focused = self._app.focused or self._app.screen
                for pump in (self._app, *focused.ancestors_with_self):
                    async with asyncio.timeout(_PATIENCE):
                        heard = asyncio.Event()
                        if pump.call_later(heard.set):
                            await heard.wait()


def gist(block: bytes) -> bytes:
    """Return what matters of a block of a flood, which would take too long to parse: where pastes
    and strings begin and end, and its last bytes."""
    return b"".join(_MATTERS.findall(block))
