"""Load, temperature and processes of the GPUs, as NVIDIA's management library reports them."""

from __future__ import annotations

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

    def others(self, pid: int) -> tuple[GpuProcess, ...]:
        """Return the other processes, largest first."""
        rest = (found for found in self.processes if found.pid != pid)
        return tuple(sorted(rest, key=lambda found: -(found.memory or 0)))


def gpu_loads() -> list[GpuLoad]:
    """Return the load of each GPU that this process may see, in CUDA's order; a few ms each."""
    return [_load(index, handle) for index, handle in enumerate(visible_handles())]


def _load(index: int, handle: object) -> GpuLoad:
    rates = ask_driver("nvmlDeviceGetUtilizationRates", handle)
    memory = ask_driver("nvmlDeviceGetMemoryInfo", handle)
    busy = getattr(rates, "gpu", None)
    return GpuLoad(
        index,
        None if busy is None else busy / 100,
        getattr(memory, "used", None),
        getattr(memory, "total", None),
        ask_driver("nvmlDeviceGetTemperature", handle, _CORE),
        _watts(ask_driver("nvmlDeviceGetPowerUsage", handle)),
        _watts(ask_driver("nvmlDeviceGetEnforcedPowerLimit", handle)),
        tuple(GpuProcess(pid, _words(pid), size) for pid, size in _processes(handle).items()),
    )


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
