"""Several processes that train one run, started by PyTorch's own launcher."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tui_latent.runs.manifest import read_manifest
from tui_latent.runtime.launcher import place
from tui_latent.runtime.limits import cpu_cores

_RESTARTS: Final = 3
"""how often all processes are started again, from the last checkpoint, after one has ended"""
_THREADS: Final = "OMP_NUM_THREADS"
"""variable with the computing threads of a process"""


def devices_of(path: Path) -> int:
    """Return how many processes should train the run at `path`; 1 if another launcher has decided.

    RunError if its preset cannot be read.
    """
    if place().world > 1:
        return 1
    train = read_manifest(path).preset.get("train")
    found = train.get("devices", 1) if isinstance(train, dict) else 1
    return found if isinstance(found, int) else 1


def launcher(devices: int) -> list[str]:
    """Return the words before `-m MODULE` of a command; with several devices, torchrun's."""
    if devices == 1:
        return [sys.executable]
    return [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *(f"--nproc-per-node={devices}", f"--max-restarts={_RESTARTS}"),
    ]


def launched_variables(devices: int) -> dict[str, str]:
    """Return the environment of that command: the processes share the cores.

    This process may have taken all cores for itself, and passes that on. Where nothing is set,
    torchrun takes one thread as well, and says so in ten lines of the run's log.
    """
    asked = os.environ.get(_THREADS, "1")
    if devices > 1 and asked.isdecimal():
        asked = str(min(int(asked), max(1, cpu_cores() // devices)))
        return {**os.environ, _THREADS: asked}
    return dict(os.environ)


def follow_others(asked: Mapping[str, object], problem: str = "") -> None:
    """Train with the process that leads the run; to be called where `place().rank` is above 0.

    `asked` are the settings that this process's command asks for, by their keys, and `problem` is
    why it cannot train: the run fails with it, and says so.
    """
    from tui_latent.training.follower import follow
    from tui_latent.training.ranks import ranks_of_launcher

    ranks = ranks_of_launcher()
    try:
        follow(ranks, asked, problem)
    except RuntimeError as error:  # what torch raises when another process is gone
        said = str(error).partition("\n")[0]
        sys.exit(f"tui-latent: process {ranks.rank} of {ranks.world} lost the others: {said}")
