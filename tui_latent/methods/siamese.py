"""Siamese and triplet autoencoders: a metric loss mixed with reconstruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from tui_latent.config.methods.siamese import SiameseSettings
from tui_latent.methods import losses
from tui_latent.methods.bottleneck import Bottleneck, BottleneckMethod, divergence

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


class Siamese(BottleneckMethod):
    """Pairs or triplets of images, compared by class in the latents of a (variational) autoencoder.

    The loss is metric_weight · metric + (1 - metric_weight) · reconstruction, the latter summed
    over the two or three images of a pair or triplet, as in Ravi Kumar's system. There the
    variational form has no divergence from a prior, which `kl_weight` can add, and compares
    Gaussians by 2 KL + D; here they are compared by Jeffreys' divergence.
    """

    def __init__(self, settings: SiameseSettings, input_shape: Sequence[int]) -> None:
        super().__init__(settings, input_shape)
        self.settings = settings
        self.pairing = settings.pairing
        self.metric = "pairwise" if settings.pairing == "pairs" else "triplet"
        bound = _unit_length if settings.normalise else None
        self.network = Bottleneck(settings, input_shape, settings.variational, bound)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return `pairwise` or `triplet`, the mean squared `reconstruction` error, and `kl`."""
        mu, logvar = self.network.encode(batch.x)
        x_hat = self.network.reconstruct(mu, logvar)
        return {
            self.metric: self._metric(batch, mu, logvar),
            "reconstruction": losses.reconstruction(x_hat, batch.target),
            **divergence(mu, logvar),
        }

    def _metric(self, batch: Batch, mu: Tensor, logvar: Tensor | None) -> Tensor:
        margin, means = self.settings.margin, mu.chunk(batch.groups)
        if logvar is None and batch.same is not None:
            return losses.pairwise_contrastive(means[0], means[1], batch.same, margin)
        if logvar is None:
            return losses.triplet_margin(means[0], means[1], means[2], margin)
        gaussians = list(zip(means, logvar.chunk(batch.groups), strict=True))
        if batch.same is not None:
            return losses.gaussian_pairwise(*gaussians[0], *gaussians[1], batch.same, margin)
        return losses.gaussian_triplet(gaussians[0], gaussians[1], gaussians[2], margin)


def _unit_length(z: Tensor) -> Tensor:
    # Below a length of 1e-6 it fades to 0, so that the gradient at 0 stays bounded.
    return F.normalize(z, eps=1e-6)
