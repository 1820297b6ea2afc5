"""Which images make up a step."""

from __future__ import annotations

import torch
from torch import Tensor

from tui_latent.training.ranks import ALONE, Ranks

_PARTNERS = 0x9E3779B9
"""keeps the draws of partners apart from the permutations, which are made from similar seeds"""


class EpochSampler:
    """A fresh permutation of the training images for each epoch, a function of seed and epoch.

    Nothing of it needs saving: the rows of any step can be computed again after a restart.
    The remainder that does not fill a batch is left to the next epochs' permutations. All draws
    are made on the CPU, so that they are the same for every device.
    """

    def __init__(
        self,
        images: int,
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        ranks: Ranks = ALONE,
    ) -> None:
        """`device` is where `rows` are wanted; `ranks` divide each batch."""
        self.images = images
        self.batch_size = min(batch_size, images)
        self.steps_per_epoch = images // self.batch_size
        self._seed = seed
        self._device = torch.device(device)
        self._ranks = ranks
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def on(self, device: torch.device) -> EpochSampler:
        """Return the same draws with their rows on a device."""
        return EpochSampler(self.images, self.batch_size, self._seed, device, self._ranks)

    def rows(self, step: int) -> Tensor:
        """Return the rows of the update after `step` updates: int64 (B,) on the device.

        With several ranks, each gets its own.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
            order = torch.randperm(self.images, generator=generator)
            if self._device.type == "cuda":  # from pinned memory, so that nothing waits
                order = order.pin_memory()
            self._order, self._epoch = order.to(self._device, non_blocking=True), epoch
        start = position * self.batch_size
        return self._ranks.share(self._order[start : start + self.batch_size])

    def partners(self, step: int) -> torch.Generator:
        """Return the generator, on the CPU, that draws the partners of a step's rows."""
        seed = (self._seed * 1_000_003 + step + (self._ranks.rank << 40)) ^ _PARTNERS
        return torch.Generator().manual_seed(seed)
