"""How many threads compute, and how long they wait awake for the next loop: OpenMP's settings."""

from __future__ import annotations

import os
from typing import Final

from tui_latent.runtime.limits import allowed_cores, cpu_cores

_SPINS: Final = 1000
"""to try another: `GOMP_SPINCOUNT=… python -m benchmarks.two_trainings`, first row"""


def limit_spinning() -> None:
    """Make waiting threads sleep soon; call it before torch is imported.

    GNU's OpenMP spins 300,000 times. Where another process wants the cores, as a second training
    does, threads then spend whole time slices waiting for one that is not running: see
    `python -m benchmarks.two_trainings`. A value that the user has set is kept, and child
    processes inherit it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(_SPINS))


def use_allowed_cores() -> None:
    """Limit computing threads to a container's share of the cores; call it before importing torch.

    Libraries count the cores of the machine; threads above the share would wait for each other at
    every parallel loop. A value that the user has set is kept.
    """
    cores = cpu_cores()
    if cores < allowed_cores():
        os.environ.setdefault("OMP_NUM_THREADS", str(cores))
