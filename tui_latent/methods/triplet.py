"""Triplets: images of one class lie nearer to each other than to other classes, by a margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tui_latent.config.methods.triplet import TripletSettings
from tui_latent.methods import losses
from tui_latent.methods.method import Method
from tui_latent.methods.networks import Encoder

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


class Triplet(Method):
    """Triplet loss on latents of a SiLU (swish) network, as in the system it reproduces."""

    pairing = "triplets"

    def __init__(self, settings: TripletSettings, input_shape: Sequence[int]) -> None:
        super().__init__(settings, input_shape)
        self.settings = settings
        self.encoder = Encoder(settings, input_shape, settings.latent_dim, nn.SiLU)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return `triplet` of anchors, positives and random or semi-hard negatives."""
        z, labels = self.encoder(batch.x), batch.labels
        margin, squared = self.settings.margin, self.settings.squared
        semi_hard = self.settings.negatives == "semi-hard"
        if semi_hard:
            assert labels is not None
            z, labels = self.gathered(z, groups=3), self.gathered(labels, groups=3)
        anchor, positive, negative = z.chunk(3)
        if semi_hard and labels is not None:
            negative = z[semi_hard_rows(z.detach(), labels, margin, squared)]
        return {"triplet": losses.triplet_margin(anchor, positive, negative, margin, squared)}

    def embed(self, x: Tensor) -> Tensor:
        """Return the latents."""
        z: Tensor = self.encoder(x)
        return z


@losses.in_full_precision
def semi_hard_rows(z: Tensor, labels: Tensor, margin: float, squared: bool = True) -> Tensor:
    """Return the row of the semi-hard negative of each of B anchors, int64 (B,).

    `z` (3B, D) and `labels` (3B,) hold anchors, positives and random negatives. The semi-hard
    negative is the nearest image of another class in the batch that is farther away than the
    positive, but by less than `margin` (FaceNet, arXiv:1503.03832); where there is none, it is the
    anchor's random one.
    """
    count = len(z) // 3
    distances = torch.cdist(z[:count], z)
    if squared:
        distances = distances.square()
    positive = distances[:, count : 2 * count].diagonal()[:, None]
    other_class = labels[:count, None] != labels[None]
    fits = other_class & (distances > positive) & (distances < positive + margin)
    nearest, row = distances.masked_fill(~fits, torch.inf).min(1)
    own = torch.arange(2 * count, 3 * count, device=z.device)
    return torch.where(nearest.isfinite(), row, own)
