"""Work that may take long or never return, beside looks at whether the run must stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tui_latent.records.control import read_request
from tui_latent.training.control import LOOK_EVERY, StopRequested

_Result = TypeVar("_Result")
Log = Callable[[str], None]
Look = Callable[[], None]


def looking_meanwhile(work: Callable[[], _Result], look: Look) -> _Result:
    """Do one long piece of work, and look between times whether the run must stop.

    Work that is stopped is left to itself: nothing waits for it, and it must change no file.
    """
    results: list[_Result] = []
    errors: list[BaseException] = []

    def do() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed over, not lost
            errors.append(error)

    thread = threading.Thread(target=do, name="work", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK_EVERY)
        look()
    if errors:
        raise errors[0]
    return results.pop()


def load_unless_stopped(path: Path, log: Log, load: Callable[[Log, Look], _Result]) -> _Result:
    """Return what `load` loads; StopRequested once the run at `path` is asked to stop.

    `load` is given what it must tell and look with: either raises StopRequested in its thread
    once nobody waits for it any more. One that hangs in a read is left behind.
    """
    left_behind = threading.Event()

    def look() -> None:
        if left_behind.is_set():
            raise StopRequested

    def told(line: str) -> None:
        look()
        log(line)

    def look_for_stop() -> None:
        if read_request(path).state == "stop":
            raise StopRequested

    try:
        return looking_meanwhile(lambda: load(told, look), look_for_stop)
    finally:
        left_behind.set()
