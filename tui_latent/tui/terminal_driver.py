"""The driver for a real terminal: Textual's, with another way of reading input.

Textual's input thread (8.2, `LinuxDriver.run_input_thread`) ends the application at a byte that is
not UTF-8, and queues input without limit if it arrives faster than it is handled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import re
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui_latent.tui.line_pace import LOST, QUESTION, LinePace
from tui_latent.tui.terminal_parser import (
    LARGEST_SCREEN,
    LONGEST_PASTE,
    Answered,
    TerminalParser,
)

_BLOCK: Final = 4096
_FLOOD: Final = 2048
"""bytes waiting at once that cannot have been typed"""
_READ_WHOLE: Final = 2 * (LONGEST_PASTE + _BLOCK)
"""bytes of a flood that are parsed in full: they include all that is kept of a paste"""
_LOOK: Final = 0.05
"""seconds between two checks for the end; a pause of that length ends a flood"""
_PATIENCE: Final = 0.5
"""seconds for a widget to handle a key; one that is being removed never reports that it has"""
_ROUNDS: Final = 2
"""a key may make a widget post a message of its own, which the second round waits for"""

_LAST_ANSWERS: Final = 3.0
"""seconds for the answers to the last frames"""

_MATTERS: Final = re.compile(
    rb"\x1b(?:\[20[01]~|\[0n|[]P_^X\\])|[\x07\x18\x1a]|.{1,64}\Z", flags=re.DOTALL
)
_INPUT: Final = (events.InputEvent, events.AppFocus, events.AppBlur)


class TerminalDriver(LinuxDriver):
    """Reads a terminal no faster than the application handles its input.

    A key is passed on once the widgets have handled the one before it, so that keys that arrive
    together (typed ahead, or pasted) do what they would do one by one. Only the last event of a
    flood, which nobody typed, is passed on: a user may be trying whether a key still works.
    """

    typed_before: ClassVar[bytes] = b""
    """keys typed before the driver started, which the query of the terminal has read"""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pace = LinePace()
        self._written = self._asks = False
        self._draw_later: Callable[[], None] | None = None

    def start_application_mode(self) -> None:
        """Take over the terminal, and from now on ask it how far it has got."""
        self._asks, self._pace = self.input_tty, LinePace()  # answers from before are lost
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Send characters to the terminal."""
        self._written = True
        super().write(data)

    def flush(self) -> None:
        """Ask for an answer once the terminal has shown what was written since the last call."""
        if self._written and self._asks and self._pace.ask():
            super().write(QUESTION)
        self._written = False
        super().flush()

    def is_behind(self, draw_later: Callable[[], None]) -> bool:
        """Return whether a frame should wait; `draw_later` is called when it no longer should."""
        if not self._pace.behind():
            return False
        if self._draw_later is None:
            self._loop.call_later(LOST, self._draw_anyway)
        self._draw_later = draw_later
        return True

    def disable_input(self) -> None:
        """Stop reading after the last answers have come; otherwise the shell would print them."""
        self._asks = False
        end = time.monotonic() + _LAST_ANSWERS
        while self._pace.unanswered and not self.exit_event.is_set() and time.monotonic() < end:
            time.sleep(_LOOK / 10)
        super().disable_input()

    def run_input_thread(self) -> None:
        """Read input until the driver is stopped."""
        parser = TerminalParser(self._debug)
        flood, last = 0, None
        while not self.exit_event.is_set():
            block = self._block()
            flood = flood + len(block) if block and (flood or len(block) >= _FLOOD) else 0
            if flood > _READ_WHOLE:
                block = gist(block)
            found = [*(parser.feed(block.decode("latin-1")) if block else ()), *parser.tick()]
            found = [message for message in found if not self._is_answer(message)]
            if flood:
                last = next((m for m in reversed(found) if isinstance(m, _INPUT)), last)
                found = [message for message in found if not isinstance(message, _INPUT)]
            elif last is not None:
                found, last = [last, *found], None
            if found:
                self._wait_until_handled(found)

    def _is_answer(self, message: Message) -> bool:
        if not isinstance(message, Answered):
            return False
        self._pace.answered()
        if self._draw_later is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._draw_kept)
        return True

    def _draw_anyway(self) -> None:
        """Draw even if the answers were lost on the way."""
        self._draw_kept()
        if self._draw_later is not None:
            self._loop.call_later(LOST, self._draw_anyway)

    def _draw_kept(self) -> None:
        if self._draw_later is not None and not self._pace.behind():
            draw, self._draw_later = self._draw_later, None
            draw()

    def send_message(self, message: Message) -> None:
        """Post a message to the application."""
        self._app.post_message(message)

    def _query_in_band_window_resize(self) -> None:
        """Do not request size reports in the input: the size comes from the system."""

    def _get_terminal_size(self) -> tuple[int, int]:
        columns, lines = super()._get_terminal_size()
        return min(columns, LARGEST_SCREEN[0]), min(lines, LARGEST_SCREEN[1])

    def _block(self) -> bytes:
        """Return the next bytes; none if nothing arrives for a while or the terminal is gone."""
        if TerminalDriver.typed_before:
            block, TerminalDriver.typed_before = TerminalDriver.typed_before, b""
            return block
        try:
            if not select.select([self.fileno], [], [], _LOOK)[0]:
                return b""
            block = os.read(self.fileno, _BLOCK)
        except OSError:
            block = b""
        if not block:
            self.exit_event.wait(_LOOK)
        return block

    def _wait_until_handled(self, found: Sequence[Message]) -> None:
        future = asyncio.run_coroutine_threadsafe(self._pass_on(found), self._loop)
        while not self.exit_event.is_set():
            with suppress(concurrent.futures.TimeoutError):
                future.result(_LOOK)
                return
        future.cancel()

    async def _pass_on(self, found: Sequence[Message]) -> None:
        waited = False
        for message in found:
            self.process_message(message)
            if waited := isinstance(message, (events.Key, events.Paste)):
                await self._handled()
        if not waited:
            await self._handled()

    async def _handled(self) -> None:
        """Wait until the focused widget and its ancestors have worked through their queues."""
        for _ in range(_ROUNDS):
            with suppress(ScreenStackError, TimeoutError):
                focused = self._app.focused or self._app.screen
                for pump in (self._app, *focused.ancestors_with_self):
                    async with asyncio.timeout(_PATIENCE):
                        heard = asyncio.Event()
                        # As `call_later`, whose `partial` has its signature read at every key.
                        if pump.post_message(events.Callback(callback=heard.set)):
                            await heard.wait()


def gist(block: bytes) -> bytes:
    """Reduce a block of a flood, which would take too long to parse, to what matters: the starts
    and ends of pastes and strings, answers, and the last bytes."""
    return b"".join(_MATTERS.findall(block))
