"""Checkpoints of other devices, made up from one of a CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import MakeRun
from tests.training.test_acceleration import log_of
from tests.training.test_session import assert_same_weights, stop_at
from tui_latent.launch.start import train_run
from tui_latent.training import loading, random_states
from tui_latent.training.checkpoint import load_checkpoint, save_checkpoint
from tui_latent.training.device import choose_device
from tui_latent.training.random_states import load_random_states

SEED_AND_OFFSET = torch.arange(16, dtype=torch.uint8)


def stopped(monkeypatch: pytest.MonkeyPatch, path: Path, step: int = 6) -> dict[str, Any]:
    stop_at(monkeypatch, path, step)
    assert train_run(path).state == "stopped"
    monkeypatch.undo()
    state = load_checkpoint(path / "checkpoints", "cpu")
    assert state is not None and state["step"] == step
    return state


def put(path: Path, state: dict[str, Any]) -> None:
    for file in (path / "checkpoints").iterdir():
        file.unlink()
    save_checkpoint(path / "checkpoints", state, best=False)


def as_version_0_1(state: dict[str, Any], gpus: list[torch.Tensor]) -> dict[str, Any]:
    old = {key: value for key, value in state.items() if key != "device_rng"}
    return old | {"generator": state["generator"]["state"], "cuda_rng": gpus}


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_a_gpus_checkpoint_resumes_on_a_cpu_and_says_so(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    one, other = make_run(method__dropout=0.2), make_run(method__dropout=0.2)
    for path in (one, other):
        state = stopped(monkeypatch, path)
        state["generator"] = {"kind": "cuda", "state": SEED_AND_OFFSET}
        state |= {"device_rng": SEED_AND_OFFSET, "bfloat16": True}
        if version == "0.1":
            state = as_version_0_1(state, [SEED_AND_OFFSET] * 4)
        put(path, state)
    monkeypatch.setattr("tui_latent.training.device._cpu_computes_bfloat16", lambda: False)
    assert train_run(one).state == train_run(other).state == "finished"
    assert "written on a GPU, and this is a CPU: random draws restart from seed 0" in log_of(one)
    assert "the networks now compute in float32, unlike before the checkpoint" in log_of(one)
    assert_same_weights(one, other)  # drawn anew, and yet not at random


def test_a_cpu_checkpoint_of_version_0_1_resumes_to_the_very_same_weights(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, old = make_run(method__dropout=0.2), make_run(method__dropout=0.2)
    train_run(whole)
    put(old, as_version_0_1(stopped(monkeypatch, old), []))
    assert train_run(old).state == "finished"
    assert "random draws restart from" not in log_of(old)
    assert_same_weights(whole, old)


class Gpu:
    """A GPU's generator, of which this machine can have none."""

    def __init__(self, index: int) -> None:
        self.device = torch.device("cuda", index)
        self.state: torch.Tensor | None = None
        self.seed: int | None = None

    def set_state(self, state: torch.Tensor) -> None:
        assert state.numel() == 16
        self.state = state

    def get_state(self) -> torch.Tensor:
        return SEED_AND_OFFSET

    def manual_seed(self, seed: int) -> None:
        self.seed = seed


@pytest.fixture
def gpu_states(monkeypatch: pytest.MonkeyPatch) -> dict[int, torch.Tensor]:
    """The states of torch's own generators on a machine of two GPUs, by index."""
    states = {index: SEED_AND_OFFSET + 16 * index for index in range(2)}

    def put_state(state: torch.Tensor, device: torch.device) -> None:
        assert device.index in states
        states[device.index] = state

    monkeypatch.setattr(torch.cuda, "set_rng_state", put_state)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: states[device.index])
    return states


def saved(**changes: Any) -> dict[str, Any]:
    return {"step": 7, "torch_rng": torch.get_rng_state(), **changes}


@pytest.mark.parametrize("index", [0, 1])
def test_of_all_gpus_states_in_an_old_checkpoint_the_runs_own_is_taken(
    gpu_states: dict[int, torch.Tensor], index: int
) -> None:
    four = [torch.full((16,), number, dtype=torch.uint8) for number in range(4)]
    gpu, other = Gpu(index), gpu_states[1 - index]
    old = saved(generator=SEED_AND_OFFSET, cuda_rng=four)
    load_random_states(old, gpu, 0, pytest.fail)  # type: ignore[arg-type]
    assert gpu.state is SEED_AND_OFFSET
    assert torch.equal(gpu_states[index], four[index])
    assert torch.equal(gpu_states[1 - index], other)  # of another GPU, which is not the run's


def test_a_run_moves_to_another_gpu_with_its_state(gpu_states: dict[int, torch.Tensor]) -> None:
    kept = random_states.random_states(Gpu(1))  # type: ignore[arg-type]
    gpu = Gpu(0)
    load_random_states(saved(**kept), gpu, 0, pytest.fail)  # type: ignore[arg-type]
    assert gpu.state is SEED_AND_OFFSET
    assert torch.equal(gpu_states[0], SEED_AND_OFFSET + 16)


def test_a_cpu_checkpoint_goes_on_on_a_gpu_from_seed_and_step(
    gpu_states: dict[int, torch.Tensor],
) -> None:
    seeds = []
    for seed, step in ((3, 7), (3, 8), (4, 7)):
        gpu, log = Gpu(0), list[str]()
        kept = random_states.random_states(torch.Generator())
        load_random_states(saved(**kept) | {"step": step}, gpu, seed, log.append)  # type: ignore[arg-type]
        assert f"this is a GPU: random draws restart from seed {seed} and step {step}" in log[0]
        seeds.append(gpu.seed)
    assert len(set(seeds)) == 3
    assert gpu.state is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_run_goes_from_a_gpu_to_a_cpu_and_back(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(train__device="cuda")
    choose = choose_device
    for step, name in ((3, "cuda"), (6, "cpu"), (9, "cuda")):
        stop_at(monkeypatch, path, step)
        monkeypatch.setattr(loading, "choose_device", lambda *_, name=name: choose(name))
        assert train_run(path).state == "stopped"
        monkeypatch.undo()
    assert train_run(path).state == "finished"
    assert log_of(path).count("random draws restart from seed") == 2
