"""The latents of held-out images, collected batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from tui_latent.watching.silent_run import SilentRun
from tui_latent.watching.watched_run import WatchedRun

_LATENTS: Final = (
    *("latents", "latent", "embeddings", "embedding", "features", "representation", "z"),
    "pooler_output",
)
_LABELS: Final = ("labels", "label", "targets", "target", "y")

Embedded = Tensor | tuple[Tensor, Tensor | None]
"""latents (N, D) of a batch, or latents and labels (N,)"""


class HeldOut:
    """Collects what each batch was embedded as, and hands it to a run as one evaluation."""

    def __init__(self) -> None:
        self._latents: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, embedded: Embedded, labels: object = None) -> None:
        """Add a batch; `labels` count where it has none of its own. TypeError without a tensor."""
        pair = isinstance(embedded, (tuple, list)) and len(embedded) == 2
        latents, own = embedded if pair else (embedded, None)
        if not isinstance(latents, Tensor):
            raise TypeError(
                "embed should return a tensor of latents (N, D), or latents and labels, not "
                f"{type(latents).__name__}"
            )
        found = labels if own is None else own
        self._latents.append(latents.detach().float())
        if isinstance(found, Tensor) and found.shape == (len(latents),) and _are_classes(found):
            self._labels.append(found.detach())

    def record(self, run: WatchedRun | SilentRun, step: int) -> None:
        """Record what was collected, and start over; labels only if every batch had them."""
        if self._latents:
            complete = len(self._labels) == len(self._latents)
            labels = torch.cat(self._labels) if complete else None
            run.latents(step, queries=torch.cat(self._latents), labels=labels)
        self.forget()

    def forget(self) -> None:
        """Start over."""
        self._latents, self._labels = [], []


def latents_in(output: object) -> Tensor:
    """Return the latents (N, D) in what a module returned: a tensor, or the one of several that
    is named as latents are, else the first that could be.

    TypeError, which says what to do, where none has a row for each image.
    """
    named = output if isinstance(output, Mapping) else {}
    several = list(output) if isinstance(output, (tuple, list)) else list(named.values())
    there = [output] if isinstance(output, Tensor) else several
    wanted = [named[name] for name in _LATENTS if name in named]
    for tensor in (*wanted, *there):
        if isinstance(tensor, Tensor) and tensor.is_floating_point() and tensor.ndim >= 2:
            rows = tensor.flatten(1)
            if tensor.ndim == 2 or rows.shape[1] == tensor.shape[1]:  # (N, D, 1, 1) of a pooling
                return rows
    shapes = ", ".join(str(tuple(t.shape)) for t in there if isinstance(t, Tensor))
    what = f"tensors of the shapes {shapes}" if shapes else type(output).__name__
    raise TypeError(f"the module returns {what}, but latents have the shape (N, D)")


def labels_in(batch: Any) -> object:
    """Return the labels of a batch (images, labels, …) or {"labels": …}; None where it has none."""
    if isinstance(batch, (tuple, list)):
        return batch[1] if len(batch) > 1 else None
    if not hasattr(batch, "get"):
        return None
    return next((batch[name] for name in _LABELS if batch.get(name) is not None), None)


def _are_classes(labels: Tensor) -> bool:
    return not labels.is_floating_point() and not labels.is_complex() and labels.dtype != torch.bool
