"""How many threads compute, and how long they wait awake for the next loop: OpenMP's settings."""

from __future__ import annotations

import os
from typing import Final

from tui_latent.runtime.limits import allowed_cores, cpu_cores

_SPINS: Final = 1000
"""another is tried by `GOMP_SPINCOUNT=… python -m benchmarks.two_trainings`, in its first row"""


def limit_spinning() -> None:
    """Have threads that wait for others sleep soon; to be called before torch is imported.

    GNU's OpenMP spins 300,000 times. Where another process wants the cores, as a second training
    does, threads then spend whole time slices in waiting for one that is not running: see
    `python -m benchmarks.two_trainings`. What a person has set holds, and other processes started
    from this one do the same.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(_SPINS))


def use_allowed_cores() -> None:
    """Have no more threads compute than a container's share of the cores has use for.

    To be called before torch is imported. Libraries count the cores of the machine; those above
    the share would wait for each other at every parallel loop. What a person has set holds.
    """
    cores = cpu_cores()
    if cores < allowed_cores():
        os.environ.setdefault("OMP_NUM_THREADS", str(cores))
