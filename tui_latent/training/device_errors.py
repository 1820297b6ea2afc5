"""Messages for devices that fail: out of memory, broken, lost, or too old."""

from __future__ import annotations

import torch

from tui_latent.config.settings import Preset
from tui_latent.runs.schema import Status
from tui_latent.runtime.hardware import devices

_DEVICE_ERRORS = ("CUDA error", "CUDA driver error", "CUBLAS_STATUS", "CUDNN_STATUS", "cuDNN error")
_NO_MEMORY = (
    "allocate memory",  # the CPU's allocator
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
_LOST = (
    "no CUDA-capable device",
    "busy or unavailable",
    "GPU is lost",
    "fallen off the bus",
    "uncorrectable",  # memory errors and NVLink
    "hardware stack error",
)


_RESTART = "restart tui-latent"


def restart_may_help(trouble: str) -> bool:
    """Return whether a restart of the program may cure what `device_trouble` describes."""
    return _RESTART in trouble


def device_trouble(error: BaseException, preset: Preset | None, status: Status) -> str | None:
    """Return what a device's error means and what to do, in one or two lines; None for others."""
    if preset is None:
        return None
    step = status.checkpoint_step
    kept = f"the checkpoint of step {step:,} is safe" if step else "there is no checkpoint yet"
    device, text = _device_words(status), str(error)
    first = text.partition("\n")[0]
    if _out_of_memory(error):
        return _memory_trouble(device, kept, preset, status)
    if not (isinstance(error, RuntimeError) and any(word in text for word in _DEVICE_ERRORS)):
        return None
    if "no kernel image is available" in text:
        return (
            f"{device} cannot run this torch: {first}\n"
            "install a torch that supports this GPU, or train with --device cpu"
        )
    if any(word in text for word in _LOST):
        return f"{device} was lost: {first}\n{kept}: when the GPU is back, {_RESTART} and resume"
    # Most errors of a kernel stay: every later call of this process fails with the same one.
    return f"{device} failed: {first}\n{kept}: {_RESTART}, then resume"


def _memory_trouble(device: str, kept: str, preset: Preset, status: Status) -> str:
    free = _memory_words(status)
    if status.phase.startswith("loading"):
        return (
            f"{device} ran out of memory{free} while {status.phase}\n"
            "train with fewer or smaller images (--set data.per_class=…, --set data.size=…), "
            "or on a device with more memory"
        )
    batch = preset.train.batch_size
    return (
        f"{device} ran out of memory{free} with train.batch_size={batch}; {kept}\n"
        "resume when more is free, or start a new run with "
        f"--set train.batch_size={max(batch // 2, 2)}"
    )


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _NO_MEMORY)


def _device_words(status: Status) -> str:
    return "the CPU" if status.device.startswith("cpu") else status.device or "the device"


def _memory_words(status: Status) -> str:
    """Return how much memory is free, where it is known."""
    for device in devices():
        total, free = device.total_bytes, device.free_bytes
        if total is None or free is None:
            continue
        if status.device.partition(" ")[0] == device.id:
            return f" ({free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"
    return ""
