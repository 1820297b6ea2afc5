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
        if self.settings.negatives == "semi-hard":
            assert labels is not None
            z, labels = self.gathered(z, groups=3), self.gathered(labels, groups=3)
            own = self.own(len(z) // 3)
            anchor, positive = (images[own] for images in z.chunk(3)[:2])
            negative = z[semi_hard_rows(z.detach(), labels, margin, squared, own)]
        else:
            anchor, positive, negative = z.chunk(3)
        return {"triplet": losses.triplet_margin(anchor, positive, negative, margin, squared)}

    def embed(self, x: Tensor) -> Tensor:
        """Return the latents."""
        z: Tensor = self.encoder(x)
        return z


@losses.in_full_precision
def semi_hard_rows(
    z: Tensor, labels: Tensor, margin: float, squared: bool = True, own: slice = losses.ALL
) -> Tensor:
    """Return the row of the semi-hard negative of each of B anchors, int64 (B,).

    `z` (3B, D) and `labels` (3B,) hold anchors, positives and random negatives. The semi-hard
    negative is the nearest image of another class in the batch that is farther away than the
    positive, but by less than `margin` (FaceNet, arXiv:1503.03832); where there is none, it is the
    anchor's random one. With `own`, those of these anchors only.
    """
    count = len(z) // 3
    distances = torch.cdist(z[:count][own], z)
    if squared:
        distances = distances.square()
    positive = distances.diagonal(count + own.indices(count)[0])[:, None]
    other_class = labels[:count][own, None] != labels[None]
    fits = other_class & (distances > positive) & (distances < positive + margin)
    nearest, row = distances.masked_fill(~fits, torch.inf).min(1)
    random = torch.arange(2 * count, 3 * count, device=z.device)[own]
    return torch.where(nearest.isfinite(), row, random)
