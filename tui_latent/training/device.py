"""Which device a run uses, and in which precision its networks compute there."""

from __future__ import annotations

from pathlib import Path

import torch

from tui_latent.hardware import devices
from tui_latent.limits import cpu_cores
from tui_latent.records.schema import Status
from tui_latent.settings import MethodSettings, Preset, TrainSettings


class DeviceError(Exception):
    """A device that a preset asks for and this machine has not."""


def limit_threads() -> None:
    """Have torch compute with no more threads than there are cores for this process.

    Torch counts the machine's cores, of which a container may use only some: the threads above
    that wait for each other at every parallel loop.
    """
    cores = cpu_cores()
    if torch.get_num_threads() > cores:
        torch.set_num_threads(cores)


def choose_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu`, `cuda` or `cuda:1` means here; DeviceError if none."""
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = device.index or 0
        if index >= count:
            raise DeviceError(
                f"train.device is '{name}', but torch sees {count} GPUs here: "
                "choose another with --device, or --device cpu"
            )
        return torch.device("cuda", index)
    return device


def describe_device(device: torch.device) -> str:
    """Return `cuda:0 NVIDIA H100`, or `cpu` with the number of threads."""
    if device.type == "cuda":
        return f"{device} {torch.cuda.get_device_name(device)}"
    return f"cpu {torch.get_num_threads()} threads"


def choose_precision(settings: TrainSettings, device: torch.device) -> torch.dtype:
    """Return the networks' dtype: the preset's, or bfloat16 where the device computes in it.

    On a CPU without AVX512-bf16 or AMX, autocast to bfloat16 made a small convolutional
    network's step 4 to 9 times slower (AMD EPYC with AVX2, torch 2.14), so there `auto` is float32.
    """
    if settings.precision != "auto":
        return torch.bfloat16 if settings.precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
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
    """Return the bytes that the run holds: on a GPU in tensors, on a CPU the whole process."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    import psutil

    return int(psutil.Process().memory_info().rss)


def device_trouble(error: BaseException, preset: Preset | None, status: Status) -> str | None:
    """Say what to do about a device without memory, or a lost one; None for any other error."""
    if preset is None:
        return None
    step = status.checkpoint_step
    kept = f"the checkpoint of step {step:,} stands" if step else "there is no checkpoint yet"
    if _out_of_memory(error):
        batch = preset.train.batch_size
        return (
            f"{_device_words(status)} ran out of memory{_memory_words(status)} with "
            f"train.batch_size={batch}; {kept}\nresume when there is more, or train anew "
            f"with --set train.batch_size={max(batch // 2, 2)}"
        )
    if _device_lost(error):
        first = str(error).partition("\n")[0]
        return f"{_device_words(status)} was lost: {first}\n{kept}: resume when it is back"
    return None


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    # The CPU's allocator raises a plain RuntimeError.
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def _device_lost(error: BaseException) -> bool:
    words = ("CUDA error", "CUDA driver error", "CUBLAS_STATUS", "CUDNN_STATUS")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _device_words(status: Status) -> str:
    return "the CPU" if status.device.startswith("cpu") else status.device or "the device"


def _memory_words(status: Status) -> str:
    """Return how much memory is free, as far as the machine tells."""
    for device in devices():
        known = device.total_bytes is not None and device.free_bytes is not None
        if known and status.device.startswith(device.id):
            free, total = device.free_bytes or 0, device.total_bytes or 0
            return f" ({free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"
    return ""
