"""VICReg: views of one image agree while every dimension varies and none repeats another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from tui_latent.config.methods.vicreg import VicregSettings
from tui_latent.methods import losses
from tui_latent.methods.method import Method
from tui_latent.methods.networks import Encoder, projector

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


class Vicreg(Method):
    """The loss is computed on a projection of the latents; the latents are the representation."""

    def __init__(self, settings: VicregSettings, input_shape: Sequence[int]) -> None:
        super().__init__(settings, input_shape)
        self.settings = settings
        self.pairing = "views" if settings.views == "augment" else "neighbours"
        self.encoder = Encoder(settings, input_shape, settings.latent_dim)
        self.projector = projector((settings.latent_dim, *settings.projector))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the three terms of two views, or of an image and a neighbour."""
        z = self.projector(self.encoder(batch.x))
        z_a, z_b = self.gathered(z, groups=2).chunk(2)
        gamma, variance_sum = self.settings.gamma, self.settings.variance_sum
        return losses.vicreg_terms(z_a, z_b, gamma, variance_sum=variance_sum)

    def embed(self, x: Tensor) -> Tensor:
        """Return the representation, without the projector."""
        h: Tensor = self.encoder(x)
        return h

    def projected(self, z: Tensor) -> Tensor | None:
        """Return the projection of latents; None if there is no projector."""
        if not len(self.projector):
            return None
        projection: Tensor = self.projector(z)
        return projection.float()
