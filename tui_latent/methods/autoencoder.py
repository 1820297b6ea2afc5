"""Autoencoders: images through a bottleneck and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tui_latent.config.methods.autoencoder import AutoencoderSettings
from tui_latent.methods import losses
from tui_latent.methods.bottleneck import Bottleneck, BottleneckMethod, divergence

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


class Autoencoder(BottleneckMethod):
    """Mean squared reconstruction error and, in the variational form, a KL divergence.

    The variational loss is the evidence bound of a Gaussian decoder (variance ½) divided by the
    number of values in an image, so that at beta = 1 both terms have the bound's own proportion.
    """

    pairing = "alone"

    def __init__(self, settings: AutoencoderSettings, input_shape: Sequence[int]) -> None:
        super().__init__(settings, input_shape)
        self.settings = settings
        bound = torch.tanh if settings.activation == "tanh" else None
        self.network = Bottleneck(settings, input_shape, settings.variational, bound)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean squared `reconstruction` error and, for Gaussians, `kl`."""
        mu, logvar = self.network.encode(batch.x)
        x_hat = self.network.reconstruct(mu, logvar)
        reconstruction = losses.reconstruction(x_hat, batch.target)
        return {"reconstruction": reconstruction, **divergence(mu, logvar)}
