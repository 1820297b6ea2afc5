"""What a GPU machine has: device, driver, memory, versions.

python -m benchmarks.gpu_versions [--device cuda]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

import torch

from benchmarks.record import Row, machine, save
from benchmarks.rounds import device_option, devices
from tui_latent.runtime.hardware import devices as listed
from tui_latent.runtime.hardware import driver_trouble


def rows(device: torch.device) -> Iterator[Row]:
    """Report the device as torch sees it, all devices as the driver does, then the versions."""
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        words = f"{card.name}, {card.major}.{card.minor}, {card.total_memory / 2**30:.0f} GiB"
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        built = f"CUDA {torch.version.cuda}, cuDNN {cudnn}"
        bf16 = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16"
        archs = " ".join(torch.cuda.get_arch_list())
        yield _row("the GPU by torch", f"{words}; {built}; {bf16}; built for {archs}")
        kernel = torch.ones(1, device=device).add(1).item()
        yield Row("a kernel runs", "2", f"{kernel:.0f}", kernel == 2, {})
    found = "; ".join(f"{one.id} {one.describe()}" for one in listed())
    yield _row("devices by the driver", f"{found}; {driver_trouble() or 'it answers'}")
    names = ("CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
    settings = ", ".join(f"{name}={os.environ.get(name, 'not set')}" for name in names)
    yield _row("environment", settings)
    versions = machine()["versions"]
    yield _row("versions", ", ".join(f"{name} {number}" for name, number in versions.items()))


def _row(what: str, measured: str) -> Row:
    return Row(what, "–", measured, None, {})


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_versions")
    device_option(parser)
    device = devices(parser.parse_args().device)[-1]
    save("versions", "python -m benchmarks.gpu_versions", rows(device))


if __name__ == "__main__":
    main()
