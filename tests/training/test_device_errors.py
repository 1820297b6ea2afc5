from __future__ import annotations

import pytest
import torch

from tests.training.conftest import MakeRun
from tui_latent.config.presets import load_preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.launch.start import train_run
from tui_latent.runs.schema import Status
from tui_latent.runtime.hardware import Device
from tui_latent.training import device_errors
from tui_latent.training.device_errors import device_trouble, restart_may_help

STANDS = "the checkpoint of step 1,200 is safe"


def told(error: BaseException, phase: str = "training") -> str | None:
    preset = load_preset("digits-contrastive-2d")
    status = Status(device="cuda:0 NVIDIA H100", checkpoint_step=1200, phase=phase)
    return device_trouble(error, preset, status)


@pytest.mark.parametrize(
    "first",
    [
        "CUDA error: unspecified launch failure",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered",
        "CUDA error: misaligned address",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    ],
)
def test_after_an_error_that_stays_the_program_is_to_be_restarted(first: str) -> None:
    assert told(RuntimeError(f"{first}\nCUDA kernel errors might be…")) == (
        f"cuda:0 NVIDIA H100 failed: {first}\n{STANDS}: restart tui-latent, then resume"
    )


@pytest.mark.parametrize(
    "first",
    [
        "CUDA error: no CUDA-capable device is detected",
        "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
        "CUDA error: uncorrectable ECC error encountered",
    ],
)
def test_a_lost_gpu_must_come_back_first(first: str) -> None:
    assert told(RuntimeError(first)) == (
        f"cuda:0 NVIDIA H100 was lost: {first}\n"
        f"{STANDS}: when the GPU is back, restart tui-latent and resume"
    )


@pytest.mark.parametrize(
    ("first", "helps"),
    [
        ("CUDA error: an illegal memory access was encountered", True),
        ("CUDA error: uncorrectable ECC error encountered", True),
        ("CUDA error: no kernel image is available for execution", False),
        ("CUDA out of memory", False),
    ],
)
def test_a_launcher_that_restarts_tries_what_a_new_process_may_cure(
    first: str, helps: bool
) -> None:
    assert restart_may_help(told(RuntimeError(first)) or "") is helps


def test_a_gpu_too_old_for_this_torch_is_not_lost() -> None:
    words = told(RuntimeError("CUDA error: no kernel image is available for execution"))
    assert words is not None and "lost" not in words and "resume" not in words
    assert "install a torch that supports this GPU, or train with --device cpu" in words


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_memory_that_libraries_miss_is_memory(error: BaseException) -> None:
    words = told(error)
    assert words is not None and "ran out of memory" in words and "train.batch_size=" in words


def test_other_errors_are_not_the_devices() -> None:
    assert told(RuntimeError("shapes differ")) is None
    assert told(ValueError("CUDA error")) is None


def test_out_of_memory_while_loading_is_not_put_down_to_the_batch_size(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starved(self: Dataset, device: object) -> Dataset:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 14.65 GiB.")

    monkeypatch.setattr(Dataset, "to", starved)
    status = train_run(make_run())
    assert status.state == "failed" and status.error is not None
    assert "batch_size" not in status.error
    assert "while loading digits" in status.error
    assert "--set data.per_class=" in status.error and "--set data.size=" in status.error


def test_the_free_memory_is_that_of_the_very_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = [Device("cuda", index, "NVIDIA H100", 80 << 30, (70 + index) << 30) for index in (1, 10)]
    monkeypatch.setattr(device_errors, "devices", lambda: gpus)
    for index in (1, 10):
        status = Status(device=f"cuda:{index} NVIDIA H100")
        error = torch.OutOfMemoryError("CUDA out of memory.")
        words = device_trouble(error, load_preset("digits-contrastive-2d"), status)
        assert words is not None and f"({70 + index}.0 of 80.0 GiB free)" in words
