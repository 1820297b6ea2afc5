"""Random views of features, which come from images as they are: noise, and features left out."""

from __future__ import annotations

import torch
from torch import Tensor

from tui_latent.config.settings import AugmentSettings


def augmented_features(x: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Return one random view of each row of standardised features: float32 (B, D), on x's device.

    Noise is added first. Then each feature becomes 0, its mean, with the probability p of the
    dropout, and is otherwise divided by 1 - p, so that its expectation stays the same (Srivastava
    et al. 2014, as in `torch.nn.Dropout`). Without any change the result is `x` itself.
    """
    with torch.autocast(x.device.type, enabled=False):
        if settings.feature_noise:
            drawn = torch.randn(x.shape, generator=generator, device=x.device)
            x = x + settings.feature_noise * drawn
        if settings.feature_dropout:
            kept = torch.rand(x.shape, generator=generator, device=x.device)
            x = x * (kept >= settings.feature_dropout) / (1 - settings.feature_dropout)
    return x
