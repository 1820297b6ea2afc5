"""Training whose terminal is lost: it continues without a screen, then the process ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from queue import Full
from typing import Any, Final

from textual.app import App
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread
from textual.screen import Screen

from tui_latent.runs.command_word import command_word
from tui_latent.runtime.terminal_loss import (
    ONE_LOSS,
    release_terminal,
    terminal_is_gone,
    when_gone,
)
from tui_latent.tui.own_training import OwnTraining

_STUCK: Final = 2.0
"""seconds after which an event loop that does not respond counts as blocked by its terminal"""

_TO_LEAVE: Final = 3.0
"""seconds for the screen to restore the terminal once nothing is being trained any more"""


class DetachedTraining:
    """Handles the system's signals for an application that draws on a real terminal.

    The handlers are the process's own and not the event loop's, which may be waiting to write to
    a terminal that is gone.
    """

    def __init__(self, app: App[Any], training: OwnTraining, leave: Callable[[], None]) -> None:
        """`leave` makes the application stop, save and quit."""
        self._app = app
        self._training = training
        self._leave_app = leave
        self._loop = asyncio.get_running_loop()
        self._begun = False
        self._lost_at = 0.0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: _in_thread(self._leave))
        signal.signal(signal.SIGHUP, lambda *_: self._begin())
        when_gone(lambda: os.kill(os.getpid(), signal.SIGHUP))

    @property
    def begun(self) -> bool:
        """Whether the terminal is lost, even if its signal has not arrived yet."""
        return self._begun or terminal_is_gone()

    def _leave(self) -> None:
        """Stop, save and quit; without the screen if that is blocked by a stuck terminal."""
        path = self._training.path
        self._training.ask_to_stop()
        heard = threading.Event()
        self._in_loop(heard.set)
        self._in_loop(self._leave_app)
        in_time = heard.wait(_STUCK)
        if path is not None:
            self._training.over.wait()
        if in_time:  # painting on the way out may block as well
            time.sleep(_TO_LEAVE)
        os._exit(0)

    def _begin(self) -> None:
        """Leave the terminal and end with the training; another signal stops and saves it."""
        if self._begun:
            if time.monotonic() - self._lost_at > ONE_LOSS:
                _in_thread(self._training.ask_to_stop)
            return
        self._begun, self._lost_at = True, time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: _in_thread(self._training.ask_to_stop))
        if terminal_is_gone():
            release_terminal()
        _in_thread(self._end)
        self._in_loop(self._go_dark)

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the process soon will
            self._loop.call_soon_threadsafe(call)

    def _go_dark(self) -> None:
        """Restore the terminal if it is still there, and draw nothing more."""
        driver = self._app._driver
        if driver is not None and not terminal_is_gone():
            driver.stop_application_mode()
            _paint_what_is_queued(driver)
        release_terminal()
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()
        self._app.push_screen(Screen())

    def _end(self) -> None:
        path = self._training.path
        if path is not None:
            # While a run is training, its log takes what goes to stderr.
            sys.stderr.write(
                "The terminal is gone. Training continues without a screen; "
                f"show it with: tui-latent attach {command_word(path)}\n"
            )
            self._training.over.wait()
        os._exit(0)


def _paint_what_is_queued(driver: Driver) -> None:
    """Wait until a driver's thread has written everything, or the terminal accepts nothing."""
    writer: WriterThread | None = getattr(driver, "_writer_thread", None)
    if writer is None:
        return
    with contextlib.suppress(Full):
        writer._queue.put(None, timeout=_STUCK)
        writer.join(_STUCK)
    after = WriterThread(driver._file)  # type: ignore[attr-defined]
    after.start()
    driver._writer_thread = after  # type: ignore[attr-defined]


def _in_thread(call: Callable[[], None]) -> None:
    """Act on a signal outside its handler, which may have interrupted the same work."""
    threading.Thread(target=call, name="signal", daemon=True).start()
