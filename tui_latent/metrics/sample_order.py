"""Random samples that do not depend on the order of the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Final

import torch
from torch import Tensor

DRAW_SEED: Final = 20_240_229
_NUMBERS_AT_ONCE: Final = 2**22


def drawn_order(
    rows: Tensor, labels: Tensor | None = None, on_chunk: Callable[[], None] = lambda: None
) -> Tensor:
    """Return a random order of `rows`, (N, ...) uint8 or float32 or float64: int64 (N,).

    It is drawn once, by a fixed seed, from what each row holds and not from where it stands:
    however the rows are permuted, their contents come in the same order. So the first of them
    are a fair sample of all, and so is every stretch. Equal rows come in the order of their
    `labels`, int64 (N,). The order is the same on every device. `on_chunk` is called
    between chunks.
    """
    return order_of_chunks([rows], labels, on_chunk)


def order_of_chunks(
    chunks: Iterable[Tensor],
    labels: Tensor | None = None,
    on_chunk: Callable[[], None] = lambda: None,
) -> Tensor:
    """Return the same order of rows that come in chunks (n, ...), on the device of `labels`."""
    keys: list[Tensor] = []
    factors = torch.empty(0, dtype=torch.int64)
    for chunk in chunks:
        flat = _as_integers(chunk)
        numbers = prod(flat.shape[1:])
        if not len(factors):
            factors = _factors(numbers).to(flat.device)
        for part in flat.split(max(_NUMBERS_AT_ONCE // max(numbers, 1), 1)):  # type: ignore[no-untyped-call]
            whole = part.long()
            # Round numbers as floats have leading bits only: these must reach the last ones.
            keys.append(((whole ^ (whole >> 16) ^ (whole >> 32)) * factors).sum(1))
            on_chunk()
    key = torch.cat(keys) if keys else torch.empty(0, dtype=torch.int64)
    if labels is None:
        return key.argsort(stable=True)
    key = key.to(labels.device)
    by_label = labels.argsort(stable=True)
    return by_label[key[by_label].argsort(stable=True)]


def _as_integers(rows: Tensor) -> Tensor:
    flat = rows.detach().flatten(1)
    if not flat.is_floating_point():
        return flat
    flat = (flat + 0.0).contiguous()  # so that -0 is 0
    return flat.view(torch.int32 if flat.dtype == torch.float32 else torch.int64)


def _factors(numbers: int) -> Tensor:
    """Return a factor for each number of a row.

    A sum of whole numbers modulo 2**64 does not depend on the order of its terms.
    """
    generator = torch.Generator().manual_seed(DRAW_SEED)
    return torch.randint(-(2**63), 2**63 - 1, (numbers,), generator=generator)
