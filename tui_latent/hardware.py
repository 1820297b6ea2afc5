"""The machine's processors, GPUs and memory, found without torch."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pynvml

from tui_latent.limits import cpu_cores, memory

_GIB: Final = 1 << 30


@dataclass(frozen=True)
class Device:
    """Something to train on, with the memory it has now."""

    kind: Literal["cpu", "cuda"]
    index: int
    """position among the GPUs that this process may see; 0 for the CPU"""
    title: str
    """in words, as `NVIDIA H100 80GB HBM3`"""
    total_bytes: int | None
    free_bytes: int | None
    """memory free now; None, as the total, where the driver does not tell"""

    @property
    def id(self) -> str:
        """What `--device` takes: `cpu`, `cuda:0`."""
        return "cpu" if self.kind == "cpu" else f"cuda:{self.index}"

    def describe(self) -> str:
        """Return one line: the title, the cores of a CPU, the memory free now."""
        words = [self.title]
        if self.kind == "cpu":
            cores = cpu_cores()
            words.append(f"{cores} core{'s' if cores > 1 else ''}")
        if self.total_bytes is not None and self.free_bytes is not None:
            free, total = self.free_bytes / _GIB, self.total_bytes / _GIB
            words.append(f"{free:.1f} of {total:.1f} GiB free")
        return " · ".join(words)


def devices() -> tuple[Device, ...]:
    """Return the GPUs that this process may see, then the CPU; a few ms after the first call."""
    return (*_gpus(), _cpu())


def _cpu() -> Device:
    has = memory()
    return Device("cpu", 0, _cpu_title(), has.total, has.available)


@cache
def _cpu_title() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine() or "CPU"


def _gpus() -> list[Device]:
    if not _driver_loaded():
        return []
    gpus = []
    for index, handle in enumerate(_visible_handles()):
        try:
            title = pynvml.nvmlDeviceGetName(handle)
        except pynvml.NVMLError:
            continue  # a GPU that has fallen off the bus
        try:
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        except pynvml.NVMLError:
            gpus.append(Device("cuda", index, title, None, None))  # memory shared with the CPU
        else:
            gpus.append(Device("cuda", index, title, memory.total, memory.free))
    return gpus


@cache
def _driver_loaded() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def _visible_handles() -> list[object]:
    """Return the GPUs in the order in which CUDA numbers them under `CUDA_VISIBLE_DEVICES`."""
    handles = []
    for choice in _choices():
        try:
            if choice.isdecimal():
                handles.append(pynvml.nvmlDeviceGetHandleByIndex(int(choice)))
            else:
                handles.append(_handle_by_uuid(choice))
        except (pynvml.NVMLError, LookupError):
            break  # CUDA stops at the first that is none, as at -1
    return handles


def _choices() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [choice.strip() for choice in visible.split(",")]
    try:
        return [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []


def _handle_by_uuid(start: str) -> object:
    """Return the GPU whose UUID begins so, as CUDA takes it; LookupError if there is none."""
    if not start.startswith("GPU-"):
        return pynvml.nvmlDeviceGetHandleByUUID(start)  # a MIG instance
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        if pynvml.nvmlDeviceGetUUID(handle).startswith(start):
            return handle
    raise LookupError(start)
