"""A lost connection: the terminal goes away while a run trains."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.made_runs import new_run
from tests.waiting import until
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import Status
from tui_latent.runtime.terminal_loss import ONE_LOSS

PROGRAM = """
import signal, sys
from pathlib import Path
from tests.tui.made_runs import ScriptedTrainer
from tests.tui.pilots import MenulessApp
from tui_latent.runs.output_capture import captured_output
from tui_latent.runs.writer import RunWriter

path = Path(sys.argv[1])
trainer = ScriptedTrainer(steps=int(sys.argv[2]))

def train(path):
    with captured_output(RunWriter.reopen(path).log):
        return trainer(path)

class Trains(MenulessApp):
    def on_ready(self):
        self.resume_run(path)

if sys.argv[3] == "idle":
    Trains.on_ready = lambda self: None
Trains(path.parent, train=train).run()
"""


class Watched:
    """The application on a pseudo-terminal, training a run that lies at `path`."""

    def __init__(self, path: Path, steps: int, what: str = "train") -> None:
        self.path = path
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            arguments = [sys.executable, "-c", PROGRAM, str(path), str(steps), what]
            os.execv(sys.executable, arguments)
        self.ended = 0
        self.painted = b""

    def status(self) -> Status:
        """Return the run's status now; keep the terminal's buffer empty as a terminal does."""
        while self.terminal >= 0 and select.select([self.terminal], [], [], 0.02)[0]:
            try:
                self.painted += os.read(self.terminal, 1 << 16)
            except OSError:
                break
        return RunReader(self.path).refresh().status

    def hang_up(self) -> None:
        """Close the terminal's other end, as a dropped connection does."""
        os.close(self.terminal)
        self.terminal = -1

    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        if not self.ended:
            self.ended, _ = os.waitpid(self.pid, os.WNOHANG)
        return bool(self.ended)

    def close(self) -> None:
        """Kill the process if it is still running."""
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.terminal >= 0:
            self.hang_up()


Start = Callable[..., Watched]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def begin(steps: int = 100_000, what: str = "train") -> Watched:
        writer = new_run(tmp_path)
        writer.close()
        started.append(Watched(writer.path, steps, what))
        return started[-1]

    yield begin
    for watched in started:
        watched.close()


def test_a_lost_terminal_leaves_the_training_to_go_on_to_its_end(start: Start) -> None:
    app = start(steps=250)
    until(lambda: app.status().step >= 20)
    app.hang_up()
    until(app.has_ended)
    status = app.status()
    assert (status.state, status.step) == ("finished", 250)
    assert any("continues without a screen" in line for line in RunReader(app.path).refresh().log)


def test_a_run_whose_terminal_is_lost_is_paused_and_stopped_from_elsewhere(start: Start) -> None:
    app = start()
    until(lambda: app.status().step >= 5)
    app.hang_up()
    step = app.status().step
    until(lambda: app.status().step > step + 50)
    request(app.path, state="pause")
    until(lambda: app.status().state == "paused")
    request(app.path, state="run")
    until(lambda: app.status().state == "running")
    request(app.path, state="stop")
    until(app.has_ended)
    assert app.status().state == "stopped"


@pytest.mark.parametrize("second", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_after_the_loss_stops_and_saves(start: Start, second: signal.Signals) -> None:
    app = start()
    until(lambda: app.status().step >= 5)
    app.hang_up()
    os.kill(app.pid, signal.SIGHUP)  # of the shell, which hears of the same loss
    until(lambda: any("without a screen" in line for line in RunReader(app.path).refresh().log))
    time.sleep(ONE_LOSS + 1.0 if second is signal.SIGHUP else 0.0)
    assert app.status().state == "running"
    os.kill(app.pid, second)
    until(app.has_ended, 5.0)
    assert app.status().state == "stopped"


def test_a_hangup_of_a_terminal_that_is_there_gives_it_back(start: Start) -> None:
    app = start()
    until(lambda: app.status().step >= 5)
    os.kill(app.pid, signal.SIGHUP)
    until(lambda: app.status().step > 0 and b"\x1b[?1049l" in app.painted)
    assert b"\x1b[?25h" in app.painted  # the cursor
    step = app.status().step
    until(lambda: app.status().step > step + 20)
    assert not app.has_ended()


def test_without_a_training_a_lost_terminal_ends_the_process(start: Start) -> None:
    app = start(what="idle")
    until(lambda: bool(app.status()) and b"\x1b[?1049h" in app.painted)
    app.hang_up()
    until(app.has_ended, 5.0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_terminal_is_there_stops_saves_and_gives_it_back(
    start: Start, number: signal.Signals
) -> None:
    app = start()
    until(lambda: app.status().step >= 5)
    os.kill(app.pid, number)
    until(lambda: app.status().state == "stopped", 5.0)
    until(app.has_ended, 5.0)
    app.status()
    assert b"\x1b[?1049l" in app.painted and b"\x1b[?25h" in app.painted


def test_a_signal_ends_a_screen_that_waits_for_a_stuck_terminal(start: Start) -> None:
    app = start()
    until(lambda: app.status().step >= 5)
    for columns in range(40):  # each paints the whole screen, and nobody reads it
        fcntl.ioctl(app.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 180 + columns, 0, 0))
        time.sleep(0.05)
    os.kill(app.pid, signal.SIGTERM)
    until(lambda: RunReader(app.path).refresh().status.state == "stopped", 5.0)
    until(app.has_ended, 5.0)
