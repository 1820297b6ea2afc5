"""Which device is chosen, by a model of machines with several GPUs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import torch

from tests.training.conftest import MakeRun
from tui_latent.config.settings import TrainSettings
from tui_latent.launch.start import train_run
from tui_latent.runtime.hardware import Device
from tui_latent.training import device as device_module
from tui_latent.training.device import DeviceError, choose_device, choose_precision, use_device

GIB = 1 << 30


class Machine:
    """GPUs with their free memory and capability, as driver and torch tell them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gpus: list[tuple[float, tuple[int, int]]] = []
        self.built = ["sm_75", "sm_80", "sm_90"]
        self.current = 0
        monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        monkeypatch.setattr(device_module, "devices", self.devices)
        for name, value in {
            "is_available": lambda: bool(self.gpus),
            "device_count": lambda: len(self.gpus),
            "current_device": lambda: self.current,
            "get_device_capability": lambda device=None: self.gpus[self.index(device)][1],
            "get_device_properties": lambda device=None: SimpleNamespace(
                major=self.gpus[self.index(device)][1][0]
            ),
            "get_device_name": lambda device=None: f"GPU {self.index(device)}",
            "get_arch_list": lambda: self.built,
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)

    def index(self, device: torch.device | int | None) -> int:
        index = device.index if isinstance(device, torch.device) else device
        return self.current if index is None else index

    def devices(self) -> tuple[Device, ...]:
        gpus = [
            Device("cuda", index, f"GPU {index}", 80 * GIB, int(free * GIB))
            for index, (free, _) in enumerate(self.gpus)
        ]
        return (*gpus, Device("cpu", 0, "CPU", 64 * GIB, 32 * GIB))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_auto_is_the_cpu_without_gpus(machine: Machine) -> None:
    assert choose_device("auto") == torch.device("cpu")


@pytest.mark.parametrize(
    ("free", "chosen"), [([10, 70, 30], 1), ([5, 5], 0), ([0.5, 0.25], 0), ([1, 2, 3, 4], 3)]
)
def test_auto_takes_the_gpu_with_the_most_free_memory(
    machine: Machine, free: list[float], chosen: int
) -> None:
    machine.gpus = [(gib, (9, 0)) for gib in free]
    assert choose_device("auto") == torch.device("cuda", chosen)


def test_where_cuda_orders_gpus_in_its_own_way_the_drivers_order_is_not_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    machine.gpus = [(10, (9, 0)), (70, (8, 0))]
    assert choose_device("auto") == torch.device("cuda", 0)


def test_a_gpu_that_torch_has_no_kernels_for_is_passed_over_and_told(machine: Machine) -> None:
    machine.gpus = [(10, (8, 6)), (70, (6, 1))]
    log: list[str] = []
    assert choose_device("auto", log.append) == torch.device("cuda", 0)
    assert "cuda:1 GPU 1 has compute capability 6.1" in log[0]
    machine.gpus = [(70, (6, 1))]
    assert choose_device("auto") == torch.device("cpu")


def test_a_gpu_asked_for_by_name_that_cannot_be_used_is_refused_with_the_reason(
    machine: Machine,
) -> None:
    machine.gpus = [(10, (9, 0)), (70, (6, 1))]
    with pytest.raises(DeviceError, match=r"6\.1, and torch .* has kernels for sm_75"):
        choose_device("cuda:1")
    with pytest.raises(DeviceError, match="torch sees 2 GPUs"):
        choose_device("cuda:2")
    assert choose_device("cuda") == torch.device("cuda", 0)
    machine.gpus = [(70, (9, 0))]
    with pytest.raises(DeviceError, match="torch sees 1 GPU here"):
        choose_device("cuda:1")


@pytest.mark.parametrize(
    ("built", "capability", "runs"),
    [
        (["sm_80"], (8, 0), True),
        (["sm_80"], (8, 9), True),  # of the same generation
        (["sm_86"], (8, 0), False),
        (["sm_80"], (9, 0), False),
        (["sm_90"], (8, 0), False),
        (["sm_80", "compute_80"], (12, 0), True),  # PTX is compiled for later ones
        (["sm_75", "compute_90"], (8, 0), False),
        (["sm_90a"], (9, 0), True),
        (["sm_100a"], (10, 3), False),
        (["sm_100", "sm_120"], (12, 1), True),
        (["gfx90a"], (9, 0), True),  # AMD's names say nothing here
        ([], (9, 0), True),
    ],
)
def test_what_runs_where_is_as_cuda_has_it(
    machine: Machine, built: list[str], capability: tuple[int, int], runs: bool
) -> None:
    machine.gpus, machine.built = [(10, capability)], built
    assert (choose_device("auto").type == "cuda") == runs


@pytest.mark.parametrize("current", [0, 1])
def test_the_precision_is_that_of_the_runs_own_gpu(machine: Machine, current: int) -> None:
    machine.gpus, machine.current = [(10, (7, 5)), (10, (8, 0))], current
    chosen = [choose_precision(TrainSettings(), torch.device("cuda", index)) for index in (0, 1)]
    assert chosen == [torch.float32, torch.bfloat16]


def test_a_thread_works_on_the_gpu_that_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[torch.device, str]] = []

    def note(device: torch.device) -> None:
        told.append((device, threading.current_thread().name))

    monkeypatch.setattr(torch.cuda, "set_device", note)
    use_device(torch.device("cpu"))
    worker = threading.Thread(target=use_device, args=(torch.device("cuda", 1),), name="training")
    worker.start()
    worker.join()
    assert told == [(torch.device("cuda", 1), "training")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "expected"), [(None, "PCI_BUS_ID"), ("FASTEST_FIRST", "FASTEST_FIRST")]
)
def test_gpus_are_numbered_as_the_driver_does_unless_a_person_says_otherwise(
    given: str | None, expected: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "CUDA_DEVICE_ORDER"}
    if given:
        environment["CUDA_DEVICE_ORDER"] = given
    script = (
        "import os\nfrom click.testing import CliRunner\nfrom tui_latent.cli.main import main\n"
        "CliRunner().invoke(main, ['presets', '--json'])\nprint(os.environ['CUDA_DEVICE_ORDER'])"
    )
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == expected


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_run_on_the_second_gpu_leaves_the_first_alone(make_run: MakeRun) -> None:
    free = torch.cuda.mem_get_info(0)[0]
    worker = threading.Thread(target=train_run, args=(make_run(train__device="cuda:1"),))
    worker.start()
    worker.join()
    assert torch.cuda.memory_reserved(0) == 0
    assert torch.cuda.mem_get_info(0)[0] == free


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_run_gives_its_memory_back(make_run: MakeRun) -> None:
    assert train_run(make_run(train__device="cuda")).state == "finished"
    assert torch.cuda.memory_reserved() < 64 << 20  # work space of the libraries stays
