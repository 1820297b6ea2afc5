"""The loss terms since the last record, kept on the device and read off it once."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import torch
from torch import Tensor


class NotFiniteError(Exception):
    """A loss term became NaN or infinite."""

    def __init__(self, term: str, value: float, step: int) -> None:
        self.term, self.step = term, step
        super().__init__(
            f"{term} became {value} at step {step}: lower the learning rate "
            "(tui-latent control RUN lr 0.5) and resume from the last good checkpoint, "
            "or train anew with train.grad_clip"
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
        values = self._finite_values(step)
        self._rows = []
        return {
            term: sum(column) / len(column)
            for term, column in zip(self._terms, zip(*values, strict=True), strict=True)
        }

    def state(self, step: int) -> dict[str, Any]:
        """Return the window for a checkpoint at `step`, so that its record is not cut in two.

        NotFiniteError as in `means`.
        """
        values = self._finite_values(step) if self._rows else []
        return {"terms": list(self._terms), "rows": values}

    def load_state(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on with a window that a checkpoint kept."""
        self._terms = tuple(state["terms"])
        self._rows = [torch.tensor(row, device=device) for row in state["rows"]]

    def _finite_values(self, step: int) -> list[list[float]]:
        """Read all terms of the steps up to `step`; NotFiniteError names the first that is not."""
        values: list[list[float]] = torch.stack(self._rows).tolist()  # the one wait for the device
        first = step - len(values) + 1
        for offset, row in enumerate(values):
            broken = [pair for pair in zip(self._terms, row, strict=True) if not isfinite(pair[1])]
            if broken:
                # Their sum is broken too: the term that broke it says more.
                term, value = min(broken, key=lambda pair: pair[0] == "loss")
                raise NotFiniteError(term, value, first + offset)
        return values
