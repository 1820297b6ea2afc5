"""The load of this machine and a run's share of it: CPU, memory, disk, GPU."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from tui_latent.runtime.gpu_load import GpuLoad, gpu_loads
from tui_latent.runtime.limits import cpu_cores, memory


@dataclass(frozen=True)
class MachineLoad:
    """One reading; None for what the system does not report, and for rates in the first one."""

    cpu: float | None
    """share of all processors that is busy, 0..1"""
    run_cores: float | None
    """number of processors that the run keeps busy, such as 1.7"""
    cores: int
    """number of processors that this process may use"""
    memory_used: int
    memory_total: int
    run_memory: int | None
    io: float | None
    """bytes per second that all disks read and write"""
    run_io: float | None
    gpus: tuple[GpuLoad, ...]
    pid: int
    """id of the run's process"""


@dataclass(frozen=True)
class _Counters:
    """Values that only grow, and the time of the reading."""

    time: float
    busy: float | None = None
    """seconds of all processors together"""
    run_busy: float | None = None
    io: float | None = None
    run_io: float | None = None
    all_time: float | None = None
    """seconds of all processors together, busy or not"""


class LoadMeter:
    """Reads the load repeatedly; rates are averages since the previous reading."""

    def __init__(self, pid: int) -> None:
        """`pid` is the run's process, on this machine."""
        self._pid = pid
        self._before: _Counters | None = None

    def read(self) -> MachineLoad:
        """Return the current load; takes about a millisecond, and a few more per GPU."""
        now, before = self._count(), self._before
        self._before = now
        has = memory()
        apart = 1.0 if before is None else now.time - before.time
        return MachineLoad(
            cpu=_share(before, now),
            run_cores=_rate(before, now, "run_busy"),
            cores=cpu_cores(),
            memory_used=has.total - has.available,
            memory_total=has.total,
            run_memory=self._run_memory(),
            io=_rate(before, now, "io"),
            run_io=_rate(before, now, "run_io"),
            gpus=tuple(gpu_loads(apart)),
            pid=self._pid,
        )

    def _run_memory(self) -> int | None:
        try:
            return int(psutil.Process(self._pid).memory_info().rss)
        except (psutil.Error, OSError):
            return None

    def _count(self) -> _Counters:
        times = psutil.cpu_times()
        every = float(sum(times[:8]))  # the rest (guests) is included in these
        idle = times.idle + getattr(times, "iowait", 0.0)
        run_busy, run_io = self._count_run()
        return _Counters(time.monotonic(), every - idle, run_busy, _disks(), run_io, every)

    def _count_run(self) -> tuple[float | None, float | None]:
        busy = moved = None
        try:
            process = psutil.Process(self._pid)
            own = process.cpu_times()
            busy = own.user + own.system
            counters = process.io_counters()
            moved = float(counters.read_bytes + counters.write_bytes)
        except (psutil.Error, OSError, AttributeError):  # gone, another user's, or on macOS
            pass
        return busy, moved


def _disks() -> float | None:
    try:
        counters = psutil.disk_io_counters()
    except (OSError, RuntimeError):
        return None
    return None if counters is None else float(counters.read_bytes + counters.write_bytes)


def _rate(before: _Counters | None, now: _Counters, name: str) -> float | None:
    if before is None or now.time <= before.time:
        return None
    first, last = getattr(before, name), getattr(now, name)
    if first is None or last is None:
        return None
    return max(0.0, float(last - first)) / (now.time - before.time)


def _share(before: _Counters | None, now: _Counters) -> float | None:
    if before is None or before.all_time is None or before.busy is None:
        return None
    if now.all_time is None or now.busy is None or now.all_time <= before.all_time:
        return None
    share = (now.busy - before.busy) / (now.all_time - before.all_time)
    return min(max(share, 0.0), 1.0)
