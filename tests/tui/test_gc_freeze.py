"""Full garbage collections do not go through what was imported."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
gc.disable()  # as when the dashboard starts
from tui_latent.tui.gc_freeze import FrozenModules
before = len(gc.get_objects())
modules = FrozenModules()
assert modules.set_aside() and not modules.set_aside(), "once, until more is imported"
assert len(gc.get_objects()) < before / 10
assert gc.isenabled(), "the pause of the start has ended"
import unittest.mock, email.mime.text, xml.dom.minidom, sqlite3, http.server, ftplib, curses, wave
import multiprocessing.pool, concurrent.futures.process, logging.config, mailbox, plistlib
print("again" if modules.set_aside() else "not again")
cycle = []
cycle.append(cycle)
del cycle
assert gc.collect() > 0, "what is made later is collected"
"""


def test_modules_are_set_aside_and_later_cycles_are_collected() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "again"
