"""The engine of one machine: some processes at a time, made by a forkserver that has torch."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import forkserver, get_context, resource_tracker
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from tui_latent.config.plugin_needs import files_needed
from tui_latent.launch.stop_signals import FOR_THE_SWEEP
from tui_latent.launch.sweep.engine import Ended, EngineError
from tui_latent.runs.control import read_request
from tui_latent.runs.manifest import read_manifest
from tui_latent.runtime.limits import cpu_cores

_WARM: Final = "tui_latent.launch.sweep.trial"
_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_GPU: Final = ("auto", "cuda")
"""devices of a preset that leave open which GPU is meant"""


class LocalEngine:
    """Trains up to `jobs` runs at a time, each in a process of its own."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([_WARM])
        self._processes: dict[Path, ForkServerProcess] = {}
        self._gpus: dict[Path, str] = {}

    def room(self) -> int:
        """Return how many more runs can be given to it now."""
        return self._jobs - len(self._processes)

    def start(self, paths: Sequence[Path]) -> None:
        """Train these runs, or resume them; EngineError when no process can be started."""
        _start_forkserver()
        for path in paths:
            gpu = self._gpu_for(path)
            variables = {**os.environ, **({_VISIBLE: gpu} if gpu else {})}
            words = (path, read_request(path), self._threads(), variables, files_needed(path))
            process = self._context.Process(target=_train, args=words, name=path.name)
            try:
                process.start()
            except (OSError, EOFError) as error:
                raise EngineError(f"cannot start a process for {path.name}: {error}") from error
            self._processes[path] = process
            if gpu:
                self._gpus[path] = gpu

    def ended(self) -> list[Ended]:
        """Return the runs whose process has ended, and the signal that killed it."""
        found = []
        for path, process in list(self._processes.items()):
            if (code := process.exitcode) is None:
                continue
            process.join()
            process.close()
            del self._processes[path]
            self._gpus.pop(path, None)
            found.append(Ended(path, _killed_by(code)))
        return found

    def close(self) -> None:
        """Stop what is still training; the forkserver stays for the next sweep of this process."""
        for process in self._processes.values():
            process.terminate()  # they save
        for process in self._processes.values():
            process.join()
        self._processes.clear()

    def _threads(self) -> int:
        """Return the computing threads of each process; 0 leaves that to torch."""
        return max(1, cpu_cores() // self._jobs) if self._jobs > 1 else 0

    def _gpu_for(self, path: Path) -> str:
        """Return the GPU that a run should see; empty if there is no choice."""
        train = read_manifest(path).preset.get("train", {})
        if str(train.get("device", "auto")) not in _GPU:
            return ""
        from tui_latent.runtime.gpu_load import gpu_loads

        free = {load.index: (load.total or 0) - (load.used or 0) for load in gpu_loads()}
        if len(free) < 2:
            return ""
        visible = [name for name in os.environ.get(_VISIBLE, "").split(",") if name]
        names = {index: visible[index] if index < len(visible) else str(index) for index in free}
        ours = list(self._gpus.values())
        return names[roomiest(free, {index: ours.count(name) for index, name in names.items()})]


def roomiest(free: Mapping[int, int], ours: Mapping[int, int]) -> int:
    """Return the GPU with the most free memory (bytes) for each run of this sweep on it.

    Runs that have just started have not taken their memory yet, so they are counted.
    """
    return max(free, key=lambda index: (free[index] / (ours.get(index, 0) + 1), -index))


def _start_forkserver() -> None:
    """Start the forkserver, unless it runs, so that no signal to the whole group ends it.

    A terminal sends Ctrl+C to it too, and `timeout` sends SIGTERM: the sweep is to stop by them.
    """
    resource_tracker.ensure_running()  # it would end the blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_THE_SWEEP)  # its process inherits it
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _train(*words: object) -> None:
    from tui_latent.launch.sweep.trial import train_trial

    train_trial(*words)  # type: ignore[arg-type]


def _killed_by(code: int) -> str:
    if code >= 0:
        return ""
    with suppress(ValueError):
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process was ended by signal {-code}"
