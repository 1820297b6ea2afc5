"""The images of each step: drawn by seed and step alone, and read before they are needed."""

from __future__ import annotations

from typing import Protocol

import torch

from tui_latent.datasets.pairing import Drawn, Pairing
from tui_latent.training.epoch_sampler import EpochSampler
from tui_latent.training.prefetch import PrefetchedImages


class StepImages(Protocol):
    """Gives each step its images."""

    def at(self, step: int) -> Drawn:
        """Return what the update after `step` updates is made from, on the device.

        It is valid until the next call. OSError if images cannot be read.
        """
        ...

    def close(self) -> None:
        """End what reads ahead."""
        ...


class ResidentImages:
    """The images are on the device: a step needs no more than their rows."""

    def __init__(self, pairing: Pairing, sampler: EpochSampler, device: torch.device) -> None:
        self._pairing, self._device = pairing, device
        self._sampler = sampler if pairing.draws or device.type == "cpu" else sampler.on(device)

    def at(self, step: int) -> Drawn:
        """Return the rows of a step."""
        generator = self._sampler.partners(step)
        return self._pairing.drawn(self._sampler.rows(step), generator).to(self._device)

    def close(self) -> None:
        """Do nothing: nothing is read ahead."""


def step_images(
    pairing: Pairing, sampler: EpochSampler, device: torch.device, steps: int
) -> StepImages:
    """Return what gives `steps` steps their images, wherever these are."""
    if pairing.images.ready:
        return ResidentImages(pairing, sampler, device)
    return PrefetchedImages(pairing, sampler, device, steps)
