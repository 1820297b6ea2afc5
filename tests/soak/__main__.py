"""Soak tests: hours of kills, damage, full disks and lost terminals.

python -m tests.soak                    every test at full length; takes some hours
python -m tests.soak kill --tries 40    one of them, shorter
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

# Before torch is imported: bit-identical weights are promised for one number of threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.record import Row, results_in, save
from tests.soak import damage, disk, kill, long_run, lost_terminal, syscalls


@dataclass(frozen=True)
class Fault:
    """One way to harm a run, tried many times."""

    measure: Callable[[int], Row]
    tries: int
    """the number of tries at full length"""


FAULTS = {
    "kill": Fault(kill.measure, 200),
    "folders": Fault(damage.measure_folders, 1000),
    "presets": Fault(damage.measure_presets, 1000),
    "images": Fault(damage.measure_images, 500),
    "syscalls": Fault(syscalls.measure, 1),
    "disk": Fault(disk.measure, 20),
    "terminal": Fault(lost_terminal.measure, 10),
    "steps": Fault(long_run.measure_steps, 1_000_000),
    "readers": Fault(long_run.measure_readers, 600),
}


def main() -> None:
    """Try the named faults, or all; exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []])
    parser.add_argument(
        "--tries", type=int, help="instead of the full number (seconds for readers)"
    )
    chosen = parser.parse_args()
    kept = True
    for name in chosen.faults or FAULTS:
        tries = chosen.tries or FAULTS[name].tries
        row = FAULTS[name].measure(tries)
        command = f"python -m tests.soak {name} --tries {tries}"
        save(name, command, [row], results_in(__file__))
        kept = kept and row.reached is not False
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
