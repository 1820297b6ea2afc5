from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

from tui_latent import hardware
from tui_latent.hardware import Device, devices
from tui_latent.limits import cpu_cores

GIB = 1 << 30
GPUS = [("NVIDIA A [0]", "GPU-aaa1"), ("NVIDIA B", "GPU-bbb2"), ("NVIDIA B", "GPU-bbc3")]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    hardware._driver_loaded.cache_clear()
    yield
    hardware._driver_loaded.cache_clear()


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put three GPUs behind NVIDIA's library, the last with memory that it does not tell."""

    def by_index(index: int) -> int:
        if not 0 <= index < len(GPUS):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        return index

    def by_uuid(uuid: str) -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)

    def memory(index: int) -> Any:
        if index == 2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(total=80 * GIB, free=(60 + index) * GIB, used=0)

    for name, function in {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: len(GPUS),
        "nvmlDeviceGetHandleByIndex": by_index,
        "nvmlDeviceGetHandleByUUID": by_uuid,
        "nvmlDeviceGetName": lambda index: GPUS[index][0],
        "nvmlDeviceGetUUID": lambda index: GPUS[index][1],
        "nvmlDeviceGetMemoryInfo": memory,
    }.items():
        monkeypatch.setattr(pynvml, name, function)


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def init() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", init)


@pytest.mark.usefixtures("no_driver")
def test_a_machine_without_gpus_is_its_cpu(capfd: pytest.CaptureFixture[str]) -> None:
    (cpu,) = devices()
    assert (cpu.kind, cpu.id, cpu.index) == ("cpu", "cpu", 0)
    assert cpu.total_bytes is not None and cpu.free_bytes is not None
    assert cpu.total_bytes <= psutil.virtual_memory().total
    assert 0 < cpu.free_bytes < cpu.total_bytes
    assert cpu.title.strip()
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("gpus")
def test_gpus_come_first_under_the_names_that_torch_gives_them() -> None:
    found = devices()
    assert [device.id for device in found] == ["cuda:0", "cuda:1", "cuda:2", "cpu"]
    assert [device.title for device in found[:3]] == [name for name, _ in GPUS]
    assert found[1].free_bytes == 61 * GIB
    assert (found[2].total_bytes, found[2].free_bytes) == (None, None)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        ("1,0", ["cuda:0 NVIDIA B", "cuda:1 NVIDIA A [0]"]),
        ("GPU-bbb", ["cuda:0 NVIDIA B"]),
        (" 1 , -1, 0", ["cuda:0 NVIDIA B"]),
        ("0,7,1", ["cuda:0 NVIDIA A [0]"]),
        ("MIG-unknown", []),
        ("GPU-zzz", []),
        ("-1", []),
        ("", []),
    ],
)
def test_only_visible_gpus_are_named_and_in_their_order(
    monkeypatch: pytest.MonkeyPatch, visible: str, seen: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [f"{device.id} {device.title}" for device in devices()[:-1]] == seen


def test_a_device_is_described_in_one_line() -> None:
    gpu = Device("cuda", 0, "NVIDIA H100 80GB HBM3", 80 * GIB, 78 * GIB + GIB // 5)
    assert gpu.describe() == "NVIDIA H100 80GB HBM3 · 78.2 of 80.0 GiB free"
    assert Device("cuda", 0, "Jetson", None, None).describe() == "Jetson"
    cores = cpu_cores()
    counted = f"{cores} cores" if cores > 1 else "1 core"
    assert Device("cpu", 0, "AMD EPYC", 4 * GIB, GIB).describe() == (
        f"AMD EPYC · {counted} · 1.0 of 4.0 GiB free"
    )


def test_the_cores_are_those_this_process_may_use() -> None:
    assert 1 <= cpu_cores() <= (os.cpu_count() or 1)
