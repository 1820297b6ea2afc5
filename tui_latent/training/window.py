"""The loss terms since the last record, kept on the device and read off it once."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import torch
from torch import Tensor


class NotFiniteError(Exception):
    """A loss term became NaN or infinite."""

    def __init__(self, term: str, value: float, step: int) -> None:
        self.term, self.step = term, step
        super().__init__(
            f"{term} became {value} at step {step}: lower train.lr or set train.grad_clip, "
            "then resume from the last good checkpoint"
        )


class TermWindow:
    """Terms of the steps since the last `means()`; adding costs no wait for the device."""

    def __init__(self) -> None:
        self._terms: tuple[str, ...] = ()
        self._rows: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Keep one step's terms, scalars on the device."""
        self._terms = tuple(terms)
        self._rows.append(torch.stack([value.detach().float() for value in terms.values()]))

    def means(self, step: int) -> dict[str, float]:
        """Return each term's mean and start a new window; `step` is the last step added.

        NotFiniteError names the first term and step that is not finite.
        """
        values = torch.stack(self._rows).tolist()  # the one wait for the device
        first = step - len(values) + 1
        self._rows = []
        for offset, row in enumerate(values):
            broken = [pair for pair in zip(self._terms, row, strict=True) if not isfinite(pair[1])]
            if broken:
                # Their sum is broken too: the term that broke it says more.
                term, value = min(broken, key=lambda pair: pair[0] == "loss")
                raise NotFiniteError(term, value, first + offset)
        return {
            term: sum(column) / len(column)
            for term, column in zip(self._terms, zip(*values, strict=True), strict=True)
        }
