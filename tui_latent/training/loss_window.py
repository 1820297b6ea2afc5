"""The loss terms since the last record, kept on the device and read off it once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor


class NotFiniteError(Exception):
    """A loss term became NaN or infinite."""

    def __init__(self, term: str, value: float, step: int) -> None:
        self.term, self.step = term, step
        super().__init__(
            f"{term} became {value} at step {step}. Retry the run at half the learning rate "
            "(tui-latent resume RUN --slower), or start a new run with train.grad_clip."
        )


@dataclass(frozen=True)
class Closed:
    """A window that no step is added to any more, on its way to the CPU."""

    step: int
    """the last step of the window"""
    beside: dict[str, float]
    """values of the same record that are not terms"""
    seconds: float
    """time of training at that step"""
    terms: tuple[str, ...]
    values: Tensor
    """(steps, terms)"""
    copied: torch.cuda.Event | None
    """after which `values` can be read; None where they always can"""


class LossWindow:
    """Terms of the steps since the last record; adding costs no wait for the device.

    On a GPU a closed window is copied to pinned memory behind the steps that are queued, and read
    when the next one is closed: by then it has long arrived, and the queue never runs dry. On a
    CPU it is read at once.
    """

    def __init__(
        self, late: bool = False, mean: Callable[[Tensor], Tensor] = lambda values: values
    ) -> None:
        """`late`: whether closed windows are read one window later.

        `mean` takes the terms of some steps, (steps, terms), and returns their means over all
        ranks: it is called once for each step, when its window ends or is kept.
        """
        self._late, self._mean = late, mean
        self._averaged = 0
        """steps of the window whose terms are means over all ranks already"""
        self._terms: tuple[str, ...] = ()
        self._rows: list[Tensor] = []
        self._closed: list[Closed] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Keep one step's terms, scalars on the device."""
        self._terms = tuple(terms)
        self._rows.append(torch.stack([value.detach().float() for value in terms.values()]))

    def close(self, step: int, beside: dict[str, float], seconds: float) -> None:
        """End the window with `step`, the last one added, and start a new one."""
        values, copied = _sent_to_cpu(self._whole())
        self._rows, self._averaged = [], 0
        self._closed.append(Closed(step, beside, seconds, self._terms, values, copied))

    def read(self, wait: bool) -> Iterator[tuple[Closed, dict[str, float]]]:
        """Yield closed windows with each term's mean, oldest first, each once.

        All of them if `wait`, else those that are due. NotFiniteError names the first term and
        step that is not finite.
        """
        while len(self._closed) > (self._late and not wait):
            closed = self._closed.pop(0)
            if closed.copied is not None:
                closed.copied.synchronize()
            yield closed, _means(closed.terms, _finite(closed.terms, closed.values, closed.step))

    def means(self, step: int) -> dict[str, float]:
        """Return each term's mean and start a new window; `step` is the last step added.

        It waits for the device. NotFiniteError as in `read`.
        """
        values = self._whole()
        self._rows, self._averaged = [], 0
        return _means(self._terms, _finite(self._terms, values, step))

    def state(self, step: int) -> dict[str, Any]:
        """Return the window for a checkpoint at `step`, so that its record is not cut in two.

        Closed windows are to be read before. NotFiniteError as in `read`.
        """
        assert not self._closed
        rows = _finite(self._terms, self._whole(), step) if self._rows else []
        return {"terms": list(self._terms), "rows": rows}

    def load_state(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on with a window that a checkpoint kept."""
        self._terms = tuple(state["terms"])
        self._rows = [torch.tensor(row, device=device) for row in state["rows"]]
        self._averaged = len(self._rows)

    def _whole(self) -> Tensor:
        """Return the terms of the window's steps, (steps, terms), as means over all ranks."""
        values = torch.stack(self._rows)
        if self._averaged < len(values):
            new = self._mean(values[self._averaged :])
            values = torch.cat([values[: self._averaged], new]) if self._averaged else new
            self._rows, self._averaged = list(values), len(values)
        return values


def _sent_to_cpu(values: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """Start a copy to pinned memory without waiting for it; values on the CPU are returned."""
    if values.device.type != "cuda":
        return values, None
    there = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    there.copy_(values, non_blocking=True)
    copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
    copied.record()
    return there, copied


def _means(terms: tuple[str, ...], values: list[list[float]]) -> dict[str, float]:
    return {
        term: sum(column) / len(column)
        for term, column in zip(terms, zip(*values, strict=True), strict=True)
    }


def _finite(terms: tuple[str, ...], values: Tensor, step: int) -> list[list[float]]:
    """Return all terms of the steps up to `step`; NotFiniteError names the first that is not."""
    rows: list[list[float]] = values.tolist()
    first = step - len(rows) + 1
    for offset, row in enumerate(rows):
        broken = [pair for pair in zip(terms, row, strict=True) if not isfinite(pair[1])]
        if broken:
            # Their sum is broken too: the term that broke it says more.
            term, value = min(broken, key=lambda pair: pair[0] == "loss")
            raise NotFiniteError(term, value, first + offset)
    return rows
