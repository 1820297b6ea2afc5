"""Which images make up a step."""

from __future__ import annotations

import torch
from torch import Tensor


class EpochSampler:
    """A fresh permutation of the training images for each epoch, a function of seed and epoch.

    Nothing of it needs saving: the rows of any step can be computed again after a restart.
    The remainder that does not fill a batch is left to the next epochs' permutations.
    """

    def __init__(self, images: int, batch_size: int, seed: int, device: torch.device) -> None:
        self.images = images
        self.batch_size = min(batch_size, images)
        self.steps_per_epoch = images // self.batch_size
        self._seed = seed
        self._device = device
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def rows(self, step: int) -> Tensor:
        """Return the rows of the update after `step` updates: int64 (B,) on the device."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            # Made on the CPU, so that the order is the same on every device.
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
            order = torch.randperm(self.images, generator=generator)
            if self._device.type == "cuda":  # from pinned memory, so that nothing waits
                order = order.pin_memory()
            self._order, self._epoch = order.to(self._device, non_blocking=True), epoch
        start = position * self.batch_size
        return self._order[start : start + self.batch_size]
