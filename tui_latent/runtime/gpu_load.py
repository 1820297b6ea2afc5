"""Load, temperature and processes of the GPUs, as NVIDIA's management library reports them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil
import pynvml

from tui_latent.runtime.hardware import ask_driver, visible_handles
from tui_latent.runtime.sanitize import plain_text

_CORE: Final = getattr(pynvml, "NVML_TEMPERATURE_GPU", 0)
_LISTS: Final = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")


@dataclass(frozen=True)
class GpuProcess:
    """A process on a GPU."""

    pid: int
    words: str
    """its name and owner; empty if unknown, as for a process of another container"""
    memory: int | None
    """bytes; None if the driver does not report it"""
    busy: float | None = None
    """share of the time that the GPU was computing for it, 0..1; None if unknown"""


@dataclass(frozen=True)
class GpuLoad:
    """The load of a GPU at one moment; None for what its driver does not report."""

    index: int
    busy: float | None
    """share of the time that it was computing, 0..1"""
    used: int | None
    total: int | None
    """bytes of memory"""
    celsius: int | None
    watts: float | None
    watt_limit: float | None
    processes: tuple[GpuProcess, ...] = ()

    def memory_of(self, pid: int) -> int | None:
        """Return the bytes that a process uses on it; None if unknown."""
        return next((found.memory for found in self.processes if found.pid == pid), None)

    def share_of(self, pid: int) -> float | None:
        """Return the share of the time that it computes for a process; None if unknown."""
        return next((found.busy for found in self.processes if found.pid == pid), None)

    def others(self, pid: int) -> tuple[GpuProcess, ...]:
        """Return the other processes, largest first."""
        rest = (found for found in self.processes if found.pid != pid)
        return tuple(sorted(rest, key=lambda found: -(found.memory or 0)))


def gpu_loads(seconds: float = 1.0) -> list[GpuLoad]:
    """Return the load of each GPU that this process may see, in CUDA's order; a few ms each.

    What a GPU computed for each process is the mean of the last `seconds`.
    """
    since = int(1e6 * (time.time() - seconds))
    return [_load(index, handle, since) for index, handle in enumerate(visible_handles())]


def _load(index: int, handle: object, since: int) -> GpuLoad:
    rates = ask_driver("nvmlDeviceGetUtilizationRates", handle)
    memory = ask_driver("nvmlDeviceGetMemoryInfo", handle)
    busy, sizes = getattr(rates, "gpu", None), _processes(handle)
    shares = _shares(handle, since) if sizes else None
    return GpuLoad(
        index,
        None if busy is None else busy / 100,
        getattr(memory, "used", None),
        getattr(memory, "total", None),
        ask_driver("nvmlDeviceGetTemperature", handle, _CORE),
        _watts(ask_driver("nvmlDeviceGetPowerUsage", handle)),
        _watts(ask_driver("nvmlDeviceGetEnforcedPowerLimit", handle)),
        tuple(
            GpuProcess(pid, _words(pid), size, None if shares is None else shares.get(pid, 0.0))
            for pid, size in sizes.items()
        ),
    )


def _shares(handle: object, since: int) -> Mapping[int, float] | None:
    """Return the shares of the time that a GPU computed for its processes, by process.

    `since` is in microseconds of Unix time. A process without samples did not compute. None if
    the driver cannot tell processes apart.
    """
    try:
        samples = pynvml.nvmlDeviceGetProcessUtilization(handle, since)
    except getattr(pynvml, "NVMLError_NotFound", ()):  # no process computed
        return {}
    except (pynvml.NVMLError, AttributeError, TypeError):
        return None
    found: dict[int, list[int]] = {}
    for sample in samples:
        if 0 <= sample.smUtil <= 100:  # some drivers leave samples unfilled
            found.setdefault(sample.pid, []).append(sample.smUtil)
    return {pid: sum(rates) / len(rates) / 100 for pid, rates in found.items()}


def _processes(handle: object) -> Mapping[int, int | None]:
    found: dict[int, int | None] = {}
    for function in _LISTS:
        for process in ask_driver(function, handle) or ():
            size = getattr(process, "usedGpuMemory", None)
            known = found.get(process.pid) or 0
            found[process.pid] = max(known, size) if isinstance(size, int) else known or None
    return found


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _words(pid: int) -> str:
    """Return a process's name and owner."""
    try:
        process = psutil.Process(pid)
        return plain_text(f"{process.name()} ({process.username()})")
    except (psutil.Error, OSError, KeyError):
        return ""
