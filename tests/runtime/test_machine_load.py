"""Load of the machine, compared with load that the tests create; GPUs of a fake driver."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

from tests.waiting import until
from tui_latent.runtime import hardware
from tui_latent.runtime.gpu_load import gpu_loads
from tui_latent.runtime.machine_load import LoadMeter

GIB = 1 << 30
SPIN = "import time\nx = bytearray(100 * 2**20)\nwhile True: pass"


@pytest.fixture
def busy() -> Iterator[int]:
    """Start a process that keeps one processor busy and has 100 MiB."""
    process = subprocess.Popen([sys.executable, "-c", SPIN])
    until(lambda: psutil.Process(process.pid).memory_info().rss > 100 << 20)
    yield process.pid
    process.kill()
    process.wait()


@pytest.mark.slow
def test_a_busy_process_is_measured_beside_the_machine(busy: int) -> None:
    meter = LoadMeter(busy)
    first = meter.read()
    assert (first.cpu, first.run_cores, first.io) == (None, None, None)
    before = psutil.Process(busy).cpu_times().user
    until(lambda: psutil.Process(busy).cpu_times().user > before + 0.3)
    load = meter.read()
    assert load.cpu is not None and 0 < load.cpu <= 1
    assert load.run_cores is not None and 0.02 < load.run_cores < 1.2
    assert load.run_memory is not None and load.run_memory > 100 << 20
    assert load.memory_total <= psutil.virtual_memory().total
    assert 0 < load.memory_used < load.memory_total


def test_what_a_process_writes_is_counted(tmp_path: Any) -> None:
    if not hasattr(psutil.Process(), "io_counters"):
        pytest.skip("the system does not tell")
    meter = LoadMeter(os.getpid())
    meter.read()
    start = psutil.Process().io_counters().write_bytes
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(8 << 20))
        file.flush()
        os.fsync(file.fileno())
    if psutil.Process().io_counters().write_bytes == start:
        pytest.skip("the folder is in memory")
    load = meter.read()
    assert load.run_io is not None and load.run_io > 0


def test_without_the_process_the_machine_is_still_measured() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    meter = LoadMeter(process.pid)
    meter.read()
    load = meter.read()
    assert load.run_memory is None and load.run_cores is None and load.memory_used > 0


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fake two GPUs: one shared with other processes, one whose driver reports little."""

    def refuse() -> Any:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def only_first(answer: Any) -> Any:
        return lambda index, *_: answer if index == 0 else refuse()

    own = SimpleNamespace(pid=os.getpid(), usedGpuMemory=10 * GIB)
    shown = SimpleNamespace(pid=os.getpid(), usedGpuMemory=None)
    other = SimpleNamespace(pid=2**22 - 7, usedGpuMemory=30 * GIB)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def samples(index: int, since: int) -> list[Any]:
        """Four samples a second of this process, at 60 % until two seconds ago, then at 20 %."""
        if index:
            refuse()
        now = 1e6 * time.time()
        past = [(now - 250_000 * age, 60 if age > 8 else 20) for age in range(16)]
        kept = [SimpleNamespace(pid=os.getpid(), smUtil=busy) for at, busy in past if at > since]
        return [*kept, SimpleNamespace(pid=os.getpid(), smUtil=2**32 - 1)]  # as some drivers leave

    for name, function in {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda index: "NVIDIA A",
        "nvmlDeviceGetMemoryInfo": only_first(SimpleNamespace(total=80 * GIB, used=40 * GIB)),
        "nvmlDeviceGetUtilizationRates": only_first(SimpleNamespace(gpu=97, memory=40)),
        "nvmlDeviceGetProcessUtilization": samples,
        "nvmlDeviceGetTemperature": only_first(61),
        "nvmlDeviceGetPowerUsage": only_first(312_400),
        "nvmlDeviceGetEnforcedPowerLimit": only_first(700_000),
        "nvmlDeviceGetComputeRunningProcesses": only_first([own, other]),
        "nvmlDeviceGetGraphicsRunningProcesses": only_first([shown]),
    }.items():
        monkeypatch.setattr(pynvml, name, function)
    hardware._driver_loaded.cache_clear()
    yield
    hardware._driver_loaded.cache_clear()


@pytest.mark.usefixtures("gpus")
def test_a_gpu_says_how_busy_and_warm_it_is_and_who_is_on_it() -> None:
    first, second = gpu_loads()
    assert (first.busy, first.used, first.total) == (0.97, 40 * GIB, 80 * GIB)
    assert (first.celsius, first.watts, first.watt_limit) == (61, 312.4, 700.0)
    assert first.memory_of(os.getpid()) == 10 * GIB
    [other] = first.others(os.getpid())
    assert (other.pid, other.words, other.memory) == (2**22 - 7, "", 30 * GIB)
    own = first.others(other.pid)[0]
    assert own.words == f"{psutil.Process().name()} ({psutil.Process().username()})"
    assert second.busy is None and second.watts is None and second.processes == ()


@pytest.mark.usefixtures("gpus")
def test_a_gpu_says_how_much_it_computes_for_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    newest, second = gpu_loads(1.0)
    assert newest.share_of(os.getpid()) == pytest.approx(0.2)
    assert newest.share_of(2**22 - 7) == 0.0  # it is on the GPU, and does not compute
    assert newest.share_of(1) is None and second.share_of(os.getpid()) is None
    assert gpu_loads(10.0)[0].share_of(os.getpid()) == pytest.approx((7 * 0.6 + 9 * 0.2) / 16)

    def refuse(error: int) -> Callable[..., Any]:
        def ask(*_: Any) -> Any:
            raise pynvml.NVMLError(error)

        return ask

    name = "nvmlDeviceGetProcessUtilization"
    monkeypatch.setattr(pynvml, name, refuse(pynvml.NVML_ERROR_NOT_FOUND))
    assert gpu_loads()[0].share_of(os.getpid()) == 0.0  # the driver's answer if none computed
    monkeypatch.setattr(pynvml, name, refuse(pynvml.NVML_ERROR_NOT_SUPPORTED))
    assert gpu_loads()[0].share_of(os.getpid()) is None


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def init() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", init)
    hardware._driver_loaded.cache_clear()
    assert gpu_loads() == []
    hardware._driver_loaded.cache_clear()
