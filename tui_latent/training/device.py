"""The device a run uses, and the precision of its networks there."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from tui_latent.config.methods import MethodSettings
from tui_latent.config.settings import TrainSettings
from tui_latent.nouns import counted
from tui_latent.runtime.hardware import devices
from tui_latent.runtime.limits import cpu_cores

_CPU = torch.device("cpu")


class DeviceError(Exception):
    """A device that a preset asks for and that cannot be used here."""


def limit_threads() -> None:
    """Limit torch's threads to the cores that this process may use.

    Torch counts the machine's cores, of which a container may use only some: any more threads wait
    for each other at every parallel loop.
    """
    cores = cpu_cores()
    if torch.get_num_threads() > cores:
        torch.set_num_threads(cores)


def choose_device(name: str, log: Callable[[str], None] = lambda _: None) -> torch.device:
    """Return the device that `auto`, `cpu`, `cuda` or `cuda:1` means here.

    `auto` is the GPU with the most free memory among those that this torch has kernels for, else
    the CPU; `log` gets the reason for each GPU that is skipped. DeviceError where a device that is
    named is missing or cannot be used.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        for device in _by_free_memory(count):
            problem = _without_kernels(device)
            if problem is None:
                return device
            log(f"{problem}; it is not used")
        return _CPU
    device = torch.device(name)
    if device.type != "cuda":
        return device
    index = device.index or 0
    if index >= count:
        raise DeviceError(
            f"train.device is '{name}', but torch sees {counted(count, 'GPU')} here: "
            "use another --device, such as cpu"
        )
    device = torch.device("cuda", index)
    if problem := _without_kernels(device):
        raise DeviceError(
            f"{problem}: install a torch that supports it (pytorch.org lists them), "
            "or use another --device, such as cpu"
        )
    return device


def device_of_rank(name: str, local_rank: int) -> torch.device:
    """Return the device of one of several processes: on a GPU machine, each has a GPU of its own.

    DeviceError where there are too few GPUs, or the name is that of a single one.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not count):
        return _CPU
    if ":" in name:
        raise DeviceError(
            f"train.device is '{name}', but several processes train, each with a GPU of its own: "
            "use --device cuda, or a single process"
        )
    if local_rank >= count:
        start = f"start {counted(count, 'process')} per machine, or " if count else ""
        raise DeviceError(
            f"process {local_rank + 1} of this machine has no GPU: torch sees {count} here: {start}"
            "use --device cpu"
        )
    return choose_device(f"cuda:{local_rank}")


def use_device(device: torch.device) -> None:
    """Make the device the current one of this thread; to be called before work on it starts.

    torch allocates some of what belongs to a GPU on the current one, which is cuda:0 in every new
    thread; up to torch 2.11 that includes a graph's random state.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)


def _by_free_memory(count: int) -> list[torch.device]:
    """Return torch's GPUs, the one with the most free memory first.

    The driver is asked what is free, because torch would take memory on each GPU to find out.
    The driver's order is CUDA's only where CUDA numbers GPUs by their place on the bus.
    """
    free = dict.fromkeys(range(count), 0)
    if os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        for gpu in devices():
            if gpu.kind == "cuda" and gpu.index in free:
                free[gpu.index] = gpu.free_bytes or 0
    order = sorted(free, key=lambda index: (-free[index], index))
    return [torch.device("cuda", index) for index in order]


def _without_kernels(device: torch.device) -> str | None:
    """Return the problem if this torch was built without kernels for a GPU; None if it has them."""
    built = torch.cuda.get_arch_list()
    major, minor = torch.cuda.get_device_capability(device)
    if not any(name.startswith("sm_") for name in built) or _has_kernels(built, (major, minor)):
        return None
    return (
        f"{describe_device(device)} has compute capability {major}.{minor}, and torch "
        f"{torch.__version__} has kernels for {' '.join(built)} only"
    )


def _has_kernels(built: list[str], capability: tuple[int, int]) -> bool:
    """Return whether a GPU runs what was built: code of its own generation, or any older PTX."""
    for name in built:
        parts = re.fullmatch(r"(sm|compute)_(\d+)(\d)([a-z]?)", name)
        if parts is None:
            continue
        made_for = int(parts[2]), int(parts[3])
        exact = parts[4] == "a"
        if made_for == capability:
            return True
        older = made_for < capability and not exact
        if older and (parts[1] == "compute" or made_for[0] == capability[0]):
            return True
    return False


def describe_device(device: torch.device) -> str:
    """Return `cuda:0 NVIDIA H100`, or `cpu` with the number of threads."""
    if device.type == "cuda":
        return f"{device} {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return f"cpu {counted(threads, 'thread')}"


def choose_precision(settings: TrainSettings, device: torch.device) -> torch.dtype:
    """Return the networks' dtype: the preset's, or bfloat16 where the device computes in it.

    On a CPU without AVX512-bf16 or AMX, autocast to bfloat16 made a small convolutional
    network's step 4 to 9 times slower (AMD EPYC with AVX2, torch 2.14), so there `auto` is float32.
    """
    if settings.precision != "auto":
        return torch.bfloat16 if settings.precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        # torch.cuda.is_bf16_supported asks the current device, which may be another.
        capable = torch.cuda.get_device_capability(device) >= (8, 0)
        native = torch.version.hip is not None or capable
    else:
        native = _cpu_computes_bfloat16()
    return torch.bfloat16 if native else torch.float32


def choose_layout(settings: MethodSettings) -> torch.memory_format:
    """Return how the networks lay out images: channels_last, where torch can.

    On a CPU, torch 2.14's backward pass of a channels_last ResNet-18 corrupts memory when its
    first width is below 8 (seen at 2 to 6; 8, 12 and 16 are sound).
    """
    if getattr(settings, "network", "") == "resnet18" and getattr(settings, "width", 8) < 8:
        return torch.contiguous_format
    return torch.channels_last


def _cpu_computes_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def memory_in_use(device: torch.device) -> int:
    """Return the bytes that the run holds: on a GPU all that torch has reserved there, including a
    graph's memory and free blocks; on a CPU those of the whole process."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    import psutil

    return int(psutil.Process().memory_info().rss)


def free_device_memory() -> None:
    """Give the GPU memory that nothing uses any more back to the driver, after a run."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        gc.collect()
        with suppress(RuntimeError):  # a lost GPU has nothing to give back
            torch.cuda.empty_cache()
