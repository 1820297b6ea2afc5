"""What a run survives: kills, damage, full disks, lost terminals, long lives.

python -m benchmarks.faults                    all, at full length: some hours
python -m benchmarks.faults kill --tries 40    one of them, shorter
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

# Before torch is imported: bit-identical weights are promised for one number of threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks import (
    faults_damage,
    faults_disk,
    faults_kill,
    faults_life,
    faults_syscalls,
    faults_terminal,
)
from benchmarks.record import Row, save


@dataclass(frozen=True)
class Fault:
    """One way to harm a run, tried many times."""

    measure: Callable[[int], Row]
    tries: int
    """at full length"""


FAULTS = {
    "kill": Fault(faults_kill.measure, 200),
    "folders": Fault(faults_damage.measure_folders, 1000),
    "presets": Fault(faults_damage.measure_presets, 1000),
    "images": Fault(faults_damage.measure_images, 500),
    "syscalls": Fault(faults_syscalls.measure, 1),
    "disk": Fault(faults_disk.measure, 20),
    "terminal": Fault(faults_terminal.measure, 10),
    "steps": Fault(faults_life.measure_steps, 1_000_000),
    "readers": Fault(faults_life.measure_readers, 600),
}


def main() -> None:
    """Try the faults named, or all; end with 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []])
    parser.add_argument("--tries", type=int, help="instead of the full number; readers: seconds")
    chosen = parser.parse_args()
    kept = True
    for name in chosen.faults or FAULTS:
        tries = chosen.tries or FAULTS[name].tries
        row = FAULTS[name].measure(tries)
        save(f"faults-{name}", f"python -m benchmarks.faults {name} --tries {tries}", [row])
        kept = kept and row.reached is not False
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
