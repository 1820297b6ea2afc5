"""One run of a sweep, trained in a process that the forkserver made.

Importing this module makes the settings that must be made before torch, and imports what every
run needs: the forkserver does so once for all of them.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final

from tui_latent.launch.stop_signals import FOR_THE_SWEEP
from tui_latent.runs.schema import Request, RunBusyError, RunError
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores

keep_freed_memory()
limit_spinning()
number_by_bus()
use_allowed_cores()

# What a training and its evaluation import inside calls, and what a pickled method needs.
import sklearn.datasets  # noqa: E402
import sklearn.neighbors  # noqa: E402, F401
import torch  # noqa: E402
import torch._dynamo  # noqa: E402  # optimisers import it with their first step

import tui_latent.launch.progress  # noqa: E402
import tui_latent.launch.start  # noqa: E402
import tui_latent.training.session  # noqa: E402

_SURELY_GONE: Final = 90.0
"""seconds after which a run that still seems to be training is taken to be"""
_LOOK_EVERY: Final = 1.0
"""seconds between two checks whether it is free"""


def train_trial(
    path: Path,
    asked_before: Request,
    threads: int,
    variables: Mapping[str, str],
    plugins: Sequence[str],
) -> None:
    """Train the run at `path`, or resume it, as the process's whole work.

    It stops and saves on SIGTERM, and when the sweep is gone. `threads` is 0 for as many as torch
    takes; `variables` are those of the sweep's process, which the forkserver may be older than.
    """
    os.setsid()  # the sweep decides what Ctrl+C means
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FOR_THE_SWEEP)  # as they are in the forkserver
    _write_into(path / "train.log")
    os.environ.clear()
    os.environ.update(variables)
    if threads:
        torch.set_num_threads(threads)
    threading.Thread(target=_stop_without_sweep, name="parent", daemon=True).start()
    try:
        train_here(path, asked_before, plugins)
    except RunError as error:
        sys.exit(f"tui-latent: {error}")


def train_here(path: Path, asked_before: Request, plugins: Sequence[str]) -> None:
    """Load the plugins in these files, then train the run at `path`; RunError."""
    from tui_latent.plugins.loading import load_file
    from tui_latent.plugins.registry import PluginError

    try:
        for file in plugins:
            load_file(file)
    except PluginError as error:
        tui_latent.launch.start.fail_run(path, str(error))
        raise RunError(str(error)) from error
    tui_latent.launch.progress.train_detached(path, asked_before)


def train_once_free(path: Path, asked_before: Request, plugins: Sequence[str]) -> None:
    """Train as `train_here` does, once the run is free.

    After a node was lost, its trainer seems to live until its heartbeat has stopped for a while.
    """
    until = time.monotonic() + _SURELY_GONE
    while True:
        try:
            return train_here(path, asked_before, plugins)
        except RunBusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_EVERY)


def _write_into(log: Path) -> None:
    """Send what libraries print to the run's log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    lines = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for number, file in ((0, nothing), (1, lines), (2, lines)):
        os.dup2(file, number)
    os.close(nothing)
    os.close(lines)


def _stop_without_sweep() -> None:
    """Stop this process's training once the sweep is gone: nobody would count its result."""
    sweep = multiprocessing.parent_process()
    assert sweep is not None
    wait([sweep.sentinel])  # the forkserver is the parent only in the system's eyes
    os.kill(os.getpid(), signal.SIGTERM)
