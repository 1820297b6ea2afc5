"""What a step frees is there for the next one, and goes back to the system at the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STEPS = """
import resource, threading
import numpy as np
from tui_latent.runtime.malloc import trim_memory, keep_freed_memory

def step():
    blocks = [np.ones(400_000) for _ in range(100)]  # numpy asks for huge pages from 4 MB on

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(open("/proc/self/statm").read().split()[1])

def work():
    step()
    before = faults()
    for _ in range(5):
        step()
    print((faults() - before) // 5)

if KEPT:
    keep_freed_memory()
thread = threading.Thread(target=work)
thread.start()
thread.join()
held = resident()
trim_memory()
print(held - resident())
"""
PAGES = 100 * 400_000 * 8 // 4096
"""that a step writes"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="needs Linux to count pages"
)


def faults_and_returned(kept: bool) -> tuple[int, int]:
    """Run steps in a thread of a fresh process; return faults a step, and pages given back."""
    script = STEPS.replace("KEPT", str(kept))
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )
    faults, returned = map(int, done.stdout.split())
    return faults, returned


def test_kept_memory_is_not_asked_for_again_and_goes_back_at_the_end() -> None:
    if faults_and_returned(kept=False)[0] < PAGES / 2:
        pytest.skip("this C library, or these huge pages, leave nothing to keep")
    faults, returned = faults_and_returned(kept=True)
    assert faults < PAGES / 100
    assert returned > PAGES / 2
