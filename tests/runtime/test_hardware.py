from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

from tui_latent.cli.doctor import _driver
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import check_preset
from tui_latent.runtime import hardware
from tui_latent.runtime.hardware import Device, devices, driver_trouble, no_gpu_reason
from tui_latent.runtime.limits import cpu_cores

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
        ("GPU-bbc3,GPU-aaa", ["cuda:0 NVIDIA B", "cuda:1 NVIDIA A [0]"]),
        ("GPU-bb", []),  # two begin so
        ("GPU-aaa,1", ["cuda:0 NVIDIA A [0]"]),  # CUDA takes one kind of name or the other
        ("1,GPU-aaa", ["cuda:0 NVIDIA B"]),
        ("0,1,0", []),  # named twice, so CUDA shows none
        ("GPU-aaa,GPU-aaa1", []),
        ("1gpu", ["cuda:0 NVIDIA B"]),
        ("+1", ["cuda:0 NVIDIA B"]),
        ("²", []),
    ],
)
def test_only_visible_gpus_are_named_and_in_their_order(
    monkeypatch: pytest.MonkeyPatch, visible: str, seen: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [f"{device.id} {device.title}" for device in devices()[:-1]] == seen


def answer(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    for name, function in functions.items():
        monkeypatch.setattr(pynvml, name, function)


def refuse(code: str) -> Any:
    def function(*_: object) -> None:
        raise pynvml.NVMLError(getattr(pynvml, code))

    return function


def names() -> list[str]:
    return [f"{device.id} {device.title}" for device in devices()[:-1]]


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize("as_bytes", [False, True])
def test_gpus_are_numbered_by_the_bus_as_cuda_is_told_to(
    monkeypatch: pytest.MonkeyPatch, as_bytes: bool
) -> None:
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    places = ["00000000:C1:00.0", "00000000:0A:00.0", "00000000:5E:00.0"]
    given = [place.encode() if as_bytes else place for place in places]
    answer(monkeypatch, nvmlDeviceGetPciInfo=lambda index: SimpleNamespace(busId=given[index]))
    assert names() == ["cuda:0 NVIDIA B", "cuda:1 NVIDIA B", "cuda:2 NVIDIA A [0]"]
    assert devices()[0].free_bytes == 61 * GIB
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert names() == ["cuda:0 NVIDIA A [0]"]


def test_an_order_that_a_person_has_set_holds() -> None:
    program = "import os, tui_latent.runtime.hardware; print(os.environ['CUDA_DEVICE_ORDER'])"
    for order in ("FASTEST_FIRST", "PCI_BUS_ID"):
        told = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "CUDA_DEVICE_ORDER": order},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.split() == [order]


@pytest.mark.usefixtures("gpus")
def test_a_library_that_lacks_functions_still_names_the_gpus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = refuse("NVML_ERROR_FUNCTION_NOT_FOUND")
    answer(monkeypatch, nvmlDeviceGetMemoryInfo=missing, nvmlDeviceGetMigMode=missing)
    monkeypatch.delattr(pynvml, "nvmlDeviceGetPciInfo")
    answer(monkeypatch, nvmlDeviceGetName=lambda index: GPUS[index][0].encode())
    assert names() == ["cuda:0 NVIDIA A [0]", "cuda:1 NVIDIA B", "cuda:2 NVIDIA B"]
    assert {device.total_bytes for device in devices()[:-1]} == {None}
    answer(monkeypatch, nvmlDeviceGetName=missing)
    assert names() == ["cuda:0 NVIDIA GPU", "cuda:1 NVIDIA GPU", "cuda:2 NVIDIA GPU"]


@pytest.mark.usefixtures("gpus")
def test_a_gpu_that_cannot_be_opened_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that was given some of a machine's GPUs, or one that was lost."""

    def opened(index: int) -> int:
        if index == 0:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NO_PERMISSION)
        return index

    answer(monkeypatch, nvmlDeviceGetHandleByIndex=opened)
    assert names() == ["cuda:0 NVIDIA B", "cuda:1 NVIDIA B"]
    answer(monkeypatch, nvmlDeviceGetName=refuse("NVML_ERROR_GPU_IS_LOST"))
    assert names() == []


@pytest.fixture
def mig(monkeypatch: pytest.MonkeyPatch, gpus: None) -> None:
    """Partition the second of the three GPUs; a part is named by a text."""
    parts = {"a": ("NVIDIA B MIG 1g.10gb", "MIG-a1"), "b": ("NVIDIA B MIG 3g.40gb", "MIG-b2")}

    def instance(index: int, number: int) -> str:
        if number not in (1, 4):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return "ab"[number == 4]

    def mode(handle: int | str) -> list[int]:
        if handle != 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [1, 1]

    def known(field: int) -> Any:
        return lambda handle: (parts[handle] if isinstance(handle, str) else GPUS[handle])[field]

    def by_uuid(uuid: str) -> str:
        if uuid != "MIG-GPU-bbb2/1/0":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return "a"

    answer(
        monkeypatch,
        nvmlDeviceGetMigMode=mode,
        nvmlDeviceGetMaxMigDeviceCount=lambda _: 7,
        nvmlDeviceGetMigDeviceHandleByIndex=instance,
        nvmlDeviceGetName=known(0),
        nvmlDeviceGetUUID=known(1),
        nvmlDeviceGetHandleByUUID=by_uuid,
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=10 * GIB, free=9 * GIB),
    )


@pytest.mark.usefixtures("mig")
@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, ["cuda:0 NVIDIA B MIG 1g.10gb"]),
        ("1", ["cuda:0 NVIDIA B MIG 1g.10gb"]),
        ("0", ["cuda:0 NVIDIA A [0]"]),
        ("0,2", ["cuda:0 NVIDIA A [0]", "cuda:1 NVIDIA B"]),
        ("MIG-b", ["cuda:0 NVIDIA B MIG 3g.40gb"]),
        ("MIG-b2,MIG-a1", ["cuda:0 NVIDIA B MIG 3g.40gb"]),
        ("MIG-GPU-bbb2/1/0", ["cuda:0 NVIDIA B MIG 1g.10gb"]),
        ("MIG-c", []),
    ],
)
def test_of_a_partitioned_gpu_the_part_is_named_that_cuda_shows(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, seen: list[str]
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert names() == seen


@pytest.mark.usefixtures("mig")
def test_a_gpu_in_mig_mode_without_parts_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    none = refuse("NVML_ERROR_NOT_FOUND")
    answer(monkeypatch, nvmlDeviceGetMigDeviceHandleByIndex=none)
    assert names() == ["cuda:0 NVIDIA A [0]", "cuda:1 NVIDIA B"]
    answer(monkeypatch, nvmlDeviceGetMigMode=lambda _: [1, 1])
    assert no_gpu_reason() == "every GPU here is in MIG mode and none is partitioned"


def refusal(device: str = "cuda") -> str | None:
    preset = load_preset("digits-contrastive-2d", {"train.device": device})
    try:
        check_preset(preset, Path(), "digits-contrastive-2d")
    except PresetError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "code",
    [
        "NVML_ERROR_LIBRARY_NOT_FOUND",
        "NVML_ERROR_DRIVER_NOT_LOADED",
        "NVML_ERROR_LIB_RM_VERSION_MISMATCH",
        "NVML_ERROR_NO_PERMISSION",
        "NVML_ERROR_UNKNOWN",
    ],
)
def test_without_the_drivers_library_torch_is_left_to_find_the_gpu(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Containers without the capability `utility`, and a Jetson, train on a GPU all the same."""
    answer(monkeypatch, nvmlInit=refuse(code))
    assert refusal("cuda") is refusal("cuda:1") is None
    assert no_gpu_reason() is None
    assert driver_trouble()


@pytest.mark.usefixtures("gpus")
def test_a_driver_that_cannot_count_is_not_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, nvmlDeviceGetCount=refuse("NVML_ERROR_FUNCTION_NOT_FOUND"))
    assert refusal() is None
    assert driver_trouble() == "the driver does not list its GPUs"


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("visible", "count", "words"),
    [
        (None, 3, None),
        ("2", 3, None),
        (None, 0, "this machine has no GPU: use --device cpu"),
        ("-1", 3, "CUDA_VISIBLE_DEVICES is '-1', which selects none of the 3 GPUs here"),
        ("7", 3, "CUDA_VISIBLE_DEVICES is '7', which selects none of the 3 GPUs here"),
        ("", 3, "CUDA_VISIBLE_DEVICES is empty, which hides every GPU"),
    ],
)
def test_a_gpu_is_refused_only_where_there_is_certainly_none(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, count: int, words: str | None
) -> None:
    answer(monkeypatch, nvmlDeviceGetCount=lambda: count)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    said = refusal()
    assert said is words if words is None else words in (said or "")
    assert driver_trouble() is None


def test_a_driver_of_another_version_than_its_library_is_reported_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, nvmlInit=refuse("NVML_ERROR_LIB_RM_VERSION_MISMATCH"))
    assert "restart the machine" in _driver({"cpu": "a processor"}, [])["driver"]


@pytest.mark.usefixtures("gpus")
def test_the_doctor_says_where_torch_sees_other_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {device.id: device.describe() for device in devices()}
    titles = [title for title, _ in GPUS]
    assert _driver(listed, titles) == {}
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    turned = _driver(listed, titles[::-1])
    assert turned["torch sees"] == "cuda:0 NVIDIA B, cuda:1 NVIDIA B, cuda:2 NVIDIA A [0]"
    assert "FASTEST_FIRST" in turned["order"]
    assert _driver(listed, [])["torch sees"].startswith("no GPU")
    assert _driver({"cpu": "a processor"}, ["Orin"])["torch sees"] == "cuda:0 Orin"


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
