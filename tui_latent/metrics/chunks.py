"""How much is computed at once: bounded by the memory that a GPU has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

_SHARE: Final = 0.25
"""share of the free memory that one computation may take: others use the GPU too, and blocks of
freed memory do not fit every request"""
_CONVERTED_AT_ONCE: Final = 2**22
"""values that are converted to float64 at once: 32 MB"""
_COLUMNS: Final = 16
"""columns read at once, at least, so that whole cache lines are used"""


def free_bytes(device: torch.device) -> int | None:
    """Return the bytes that tensors can still take on a GPU; None on a CPU."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free) + int(kept)


def at_once(device: torch.device, most: int, bytes_each: int, least: int = 1) -> int:
    """Return how many things of some bytes to hold at once: `most`, on a full GPU down to `least`.

    `bytes_each` counts all that is alive at the peak.
    """
    free = free_bytes(device)
    if free is None:
        return most
    return max(min(most, int(_SHARE * free) // bytes_each), least)


def fits(device: torch.device, size: int) -> bool:
    """Return whether so many bytes may be kept for a while; on a CPU they always may."""
    free = free_bytes(device)
    return free is None or size <= _SHARE * free


def row_blocks(latents: Tensor) -> Iterator[slice]:
    """Cut (N, D) latents into blocks of rows that can be converted to float64 at once."""
    rows = max(_CONVERTED_AT_ONCE // max(latents.shape[1], 1), 1)
    return (slice(start, start + rows) for start in range(0, len(latents), rows))


def mean_in_float64(latents: Tensor) -> Tensor:
    """Return the mean of (N, D) latents: float64 (D,), the bits of `latents.double().mean(0)`.

    In blocks of columns, because each column is then summed in the same order.
    """
    columns = max(_CONVERTED_AT_ONCE // max(len(latents), 1), _COLUMNS)
    blocks = torch.split(latents, columns, dim=1)
    return torch.cat([block.double().mean(0) for block in blocks])
