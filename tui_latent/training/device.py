"""Which device a run uses, and in which precision its networks compute there."""

from __future__ import annotations

from pathlib import Path

import torch

from tui_latent.settings import MethodSettings, TrainSettings


class DeviceError(Exception):
    """A device that a preset asks for and this machine has not."""


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
