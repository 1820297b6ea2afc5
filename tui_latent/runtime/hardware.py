"""The machine's processors, GPUs and memory, found without torch."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import pynvml

from tui_latent.nouns import counted
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.limits import cpu_cores, memory

_GIB: Final = 1 << 30

number_by_bus()  # for scripts: the command line has done it by now, before starting any thread


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
    """memory free now; None, like the total, where the driver does not report it"""

    @property
    def id(self) -> str:
        """What `--device` takes: `cpu`, `cuda:0`."""
        return "cpu" if self.kind == "cpu" else f"cuda:{self.index}"

    def describe(self) -> str:
        """Return one line: the title, the cores of a CPU, the memory free now."""
        words = [self.title]
        if self.kind == "cpu":
            cores = cpu_cores()
            words.append(counted(cores, "core"))
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


def no_gpu_reason() -> str | None:
    """Return why no GPU can be used here; None where one can, or where that is unknown.

    A driver without its management library (a container that was given CUDA alone, a Jetson) is
    not a reason: torch finds out.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None and not chosen.strip():
        return "CUDA_VISIBLE_DEVICES is empty, which hides every GPU"
    if not _driver_loaded():
        return None
    present = _handles()
    if present is None or _visible(present):
        return None
    if not present:
        return "this machine has no GPU"
    if chosen is not None:
        count = counted(len(present), "GPU")
        return f"CUDA_VISIBLE_DEVICES is '{chosen}', which selects none of the {count} here"
    return "every GPU here is in MIG mode and none is partitioned"


def visible_handles() -> list[object]:
    """Return the driver's handles of the GPUs that this process may see, in CUDA's order."""
    return _visible(_handles() or []) if _driver_loaded() else []


def driver_trouble() -> str | None:
    """Return why NVIDIA's management library lists no GPUs, and what helps; None if it does.

    Without a GPU that is normal; with one, names and memory are missing.
    """
    error = _driver_error()
    if error is None:
        return None if _handles() is not None else "the driver does not list its GPUs"
    remedies = {
        _code("NVML_ERROR_LIB_RM_VERSION_MISMATCH"): (
            "the driver in use and its library have different versions, as after an update: "
            "restart the machine"
        ),
        _code("NVML_ERROR_DRIVER_NOT_LOADED"): "NVIDIA's driver is not loaded",
        _code("NVML_ERROR_LIBRARY_NOT_FOUND"): (
            "NVIDIA's management library is not installed; in a container with a GPU, add "
            "'utility' to NVIDIA_DRIVER_CAPABILITIES"
        ),
        _code(
            "NVML_ERROR_NO_PERMISSION"
        ): "this account has no permission to query NVIDIA's driver",
    }
    number = getattr(error, "value", -1)
    return remedies.get(int(number), f"NVIDIA's management library does not answer: {error}")


def _code(name: str) -> int:
    return int(getattr(pynvml, name, -1))


def _gpus() -> list[Device]:
    gpus = []
    for index, handle in enumerate(visible_handles()):
        title = _text(ask_driver("nvmlDeviceGetName", handle)) or "NVIDIA GPU"
        # None where memory is shared with the CPU.
        has = ask_driver("nvmlDeviceGetMemoryInfo", handle)
        total, free = (getattr(has, name, None) for name in ("total", "free"))
        gpus.append(Device("cuda", index, title, total, free))
    return gpus


@cache
def _driver_loaded() -> bool:
    return _driver_error() is None


def _driver_error() -> Exception | None:
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, AttributeError, OSError) as error:
        return error
    return None


def ask_driver(function: str, *arguments: object) -> Any:
    """Return the answer of a function of NVIDIA's library; None where it fails.

    Older drivers lack functions, other cards do not support them, and a GPU may fall off the bus.
    """
    try:
        return getattr(pynvml, function)(*arguments)
    except (pynvml.NVMLError, AttributeError, TypeError, UnicodeDecodeError):
        return None


def _text(answer: object) -> str:
    """Return an answer in words: older bindings give bytes."""
    if isinstance(answer, bytes):
        return answer.decode(errors="replace")
    return "" if answer is None else str(answer)


def _handles() -> list[object] | None:
    """Return all GPUs in the order of the bus, as CUDA numbers them; None if unknown."""
    count = ask_driver("nvmlDeviceGetCount")
    if count is None:
        return None
    found = [ask_driver("nvmlDeviceGetHandleByIndex", index) for index in range(count)]
    # What this process may not open, or what fell off the bus, CUDA does not number either.
    handles = [handle for handle in found if handle is not None and not _lost(handle)]
    if count and not handles:
        return None
    places = [_text(getattr(ask_driver("nvmlDeviceGetPciInfo", h), "busId", None)) for h in handles]
    if not all(places):
        return handles
    order = sorted(range(len(handles)), key=lambda index: places[index].lower())
    return [handles[index] for index in order]


def _lost(handle: object) -> bool:
    """Return whether a GPU has fallen off the bus since the driver started."""
    try:
        pynvml.nvmlDeviceGetName(handle)
    except pynvml.NVMLError as error:
        return bool(getattr(error, "value", None) == _code("NVML_ERROR_GPU_IS_LOST"))
    except (AttributeError, UnicodeDecodeError):
        pass
    return False


def _visible(handles: list[object]) -> list[object]:
    """Return those of all GPUs that CUDA shows this process, in the order of its numbers.

    A process sees one MIG instance at most, and then no whole GPU (NVIDIA's MIG user guide,
    "CUDA device enumeration").
    """
    chosen = _chosen(handles, os.environ.get("CUDA_VISIBLE_DEVICES"))
    whole = []
    for handle in chosen:
        if not _in_mig_mode(handle):
            whole.append(handle)
        elif instances := _instances(handle):
            return instances[:1]
    return whole


def _chosen(handles: list[object], visible: str | None) -> list[object]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES names; the first invalid name ends the list.

    As CUDA reads it: numbers, or beginnings of UUIDs of GPUs or MIG instances, not both; a GPU
    named twice leaves none.
    """
    if visible is None:
        return handles
    names = [name.strip() for name in visible.split(",")]
    if names[0].startswith("MIG-"):
        instances = [instance for handle in handles for instance in _instances(handle)]
        index = _by_uuid(instances, names[0], "MIG-")
        # Older drivers name an instance by its GPU and two numbers.
        by_name = "nvmlDeviceGetHandleByUUID"
        found = instances[index] if index >= 0 else ask_driver(by_name, names[0])
        return [] if found is None or names[0] in names[1:] else [found]
    by_uuid = names[0].startswith("GPU-")
    chosen: list[int] = []
    for name in names:
        index = _by_uuid(handles, name, "GPU-") if by_uuid else _leading_number(name)
        if not 0 <= index < len(handles):
            break
        if index in chosen:
            return []
        chosen.append(index)
    return [handles[index] for index in chosen]


def _by_uuid(handles: list[object], start: str, kind: str) -> int:
    """Return the index of the only UUID that begins so; -1 if there is none, or more than one."""
    uuids = [_text(ask_driver("nvmlDeviceGetUUID", handle)) for handle in handles]
    found = [index for index, uuid in enumerate(uuids) if uuid.startswith(start)]
    return found[0] if start.startswith(kind) and len(found) == 1 else -1


def _leading_number(text: str) -> int:
    """Return the number that a text begins with, as C's `strtoul` reads it; -1 if none."""
    found = re.match(r"\s*\+?(\d+)", text, re.ASCII)
    return int(found[1]) if found else -1


def _in_mig_mode(handle: object) -> bool:
    mode = ask_driver("nvmlDeviceGetMigMode", handle)
    return bool(mode) and bool(mode[0])  # now; the second is after the next reset


def _instances(handle: object) -> list[object]:
    """Return the MIG instances of a GPU."""
    if not _in_mig_mode(handle):
        return []
    most = ask_driver("nvmlDeviceGetMaxMigDeviceCount", handle) or 0
    found = (
        ask_driver("nvmlDeviceGetMigDeviceHandleByIndex", handle, index) for index in range(most)
    )
    return [instance for instance in found if instance is not None]
