"""The random states of a checkpoint, and how a run continues on another kind of device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor


def random_states(generator: torch.Generator) -> dict[str, Any]:
    """Return the states that a run's draws come from: its generator's, torch's own on its device
    and on the CPU. Other GPUs take no part."""
    device = generator.device
    on_gpu = device.type == "cuda"
    return {
        "generator": {"kind": device.type, "state": generator.get_state()},
        "torch_rng": torch.get_rng_state(),
        "device_rng": torch.cuda.get_rng_state(device) if on_gpu else None,
    }


def load_random_states(
    saved: Mapping[str, Any], generator: torch.Generator, seed: int, log: Callable[[str], None]
) -> None:
    """Continue with the random states of a checkpoint.

    A GPU and a CPU draw differently, so neither can use the other's state: then the draws
    restart from the seed and the checkpoint's step, and `log` says so.
    """
    device, step = generator.device, saved["step"]
    kind, state = _kind_and_state(saved["generator"])
    if kind != device.type:
        log(
            f"the checkpoint was written on a {_words(kind)}, and this is a {_words(device.type)}: "
            f"random draws restart from seed {seed} and step {step:,}"
        )
        anew = (step << 32) + seed
        generator.manual_seed(anew)
        torch.manual_seed(anew)
        return
    generator.set_state(state.cpu())
    torch.set_rng_state(saved["torch_rng"].cpu())
    if device.type == "cuda":
        torch.cuda.set_rng_state(_own_state(saved, device).cpu(), device)


def _kind_and_state(saved: Tensor | Mapping[str, Any]) -> tuple[str, Tensor]:
    """Return a generator's kind of device and its state; version 0.1 kept the state alone."""
    if isinstance(saved, Tensor):  # a GPU's is a seed and an offset
        return ("cuda" if saved.numel() <= 16 else "cpu"), saved
    return saved["kind"], saved["state"]


def _own_state(saved: Mapping[str, Any], device: torch.device) -> Tensor:
    """Return the state of torch's own generator; version 0.1 kept those of all GPUs."""
    if "cuda_rng" not in saved:
        state: Tensor = saved["device_rng"]
        return state
    states: list[Tensor] = saved["cuda_rng"]
    index = device.index or 0
    return states[index if index < len(states) else 0]


def _words(kind: str) -> str:
    return "GPU" if kind == "cuda" else "CPU"
