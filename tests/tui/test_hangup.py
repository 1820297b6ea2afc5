"""A lost connection: the terminal goes away while a run trains."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

from tests.tui.made_runs import new_run
from tui_latent.records.reader import RunReader

PROGRAM = """
import sys
from pathlib import Path
from tests.tui.made_runs import ScriptedTrainer
from tests.tui.pilots import MenulessApp

path = Path(sys.argv[1])

class Trains(MenulessApp):
    def on_ready(self):
        self.resume_run(path)

Trains(path.parent, train=ScriptedTrainer()).run()
"""


def test_a_lost_terminal_stops_and_saves_the_run_and_ends_the_process(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, str(writer.path)])
    reader = RunReader(writer.path)
    deadline = time.monotonic() + 30
    while reader.refresh().status.step < 20 and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.05)[0]:
            os.read(terminal, 1 << 16)
    os.close(terminal)
    ended = 0
    while not ended and time.monotonic() < deadline:
        ended, _ = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert ended == pid
    status = reader.refresh().status
    assert status.state == "stopped"
    assert status.checkpoint_step is not None and status.checkpoint_step >= 19
