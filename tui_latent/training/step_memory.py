"""What a training step takes of a GPU's memory, measured by doing some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

from tui_latent.config.settings import Preset
from tui_latent.methods.across_ranks import apart
from tui_latent.training.device import free_device_memory

_STEPS = 2
"""the second has the optimiser's state from its start"""


class Loop(Protocol):
    """Trains step by step."""

    total_steps: int

    def step(self) -> object:
        """Do one step."""

    def close(self) -> None:
        """End what it has started."""


def step_memory(loop_of: Callable[[Preset], Loop], preset: Preset, device: torch.device) -> int:
    """Return the most bytes that networks, optimiser and a step take on a GPU.

    A loop of its own, which `loop_of` makes of a preset whose images stay where they are, does
    two steps of the first stage and is then dropped. A captured graph has memory of its own beside
    that of plain steps, so where one may be captured a step counts twice. Returns the free memory
    if a step does not fit in it.
    """
    train = preset.train.model_copy(update={"acceleration": "off"})
    data = preset.data.model_copy(update={"resident": "disk"})
    alone = preset.model_copy(update={"train": train, "data": data})
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    loop = None
    try:
        with apart():
            loop = loop_of(alone)
            held = torch.cuda.memory_allocated(device) - before
            for _ in range(min(_STEPS, loop.total_steps)):
                loop.step()
        most = torch.cuda.max_memory_allocated(device) - before
    except torch.cuda.OutOfMemoryError:
        return torch.cuda.mem_get_info(device)[0]
    finally:
        if loop is not None:
            loop.close()
        del loop
        free_device_memory()
    graph = preset.train.acceleration in ("auto", "graph")
    return most + (most - held if graph else 0)
