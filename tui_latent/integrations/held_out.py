"""The latents of held-out images, collected batch by batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tui_latent.watching.silent_run import SilentRun
from tui_latent.watching.watched_run import WatchedRun

Embedded = Tensor | tuple[Tensor, Tensor | None]
"""latents (N, D) of a batch, or latents and labels (N,)"""


class HeldOut:
    """Collects what each batch was embedded as, and hands it to a run as one evaluation."""

    def __init__(self) -> None:
        self._latents: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, embedded: Embedded, labels: object = None) -> None:
        """Add a batch; `labels` count where it has none of its own. TypeError for no tensor."""
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
        """Record what was collected, and begin anew; labels only if every batch had them."""
        if self._latents:
            complete = len(self._labels) == len(self._latents)
            labels = torch.cat(self._labels) if complete else None
            run.latents(step, queries=torch.cat(self._latents), labels=labels)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._latents, self._labels = [], []


def labels_in(batch: Any) -> object:
    """Return the labels of a batch (images, labels, …) or {"labels": …}; None where it has none."""
    if isinstance(batch, (tuple, list)):
        return batch[1] if len(batch) > 1 else None
    return batch.get("labels") if hasattr(batch, "get") else None


def _are_classes(labels: Tensor) -> bool:
    return not labels.is_floating_point() and not labels.is_complex() and labels.dtype != torch.bool
