"""Autoencoders: images through a bottleneck and back."""

from __future__ import annotations

from typing import ClassVar, Literal

from tui_latent.config.methods.base import NetworkSettings, register
from tui_latent.config.section import NonNegative


@register
class AutoencoderSettings(NetworkSettings):
    """Images pass through a bottleneck and are reconstructed; labels are not used."""

    name: Literal["autoencoder"]
    activation: Literal["none", "tanh"] = "none"
    """activation that bounds the latents"""
    variational: bool = False
    """make each image a Gaussian instead of a point"""
    beta: NonNegative = 1.0
    """weight of the KL divergence from a standard normal (variational only)"""

    trained_by: ClassVar = "tui_latent.methods.autoencoder:Autoencoder"
    decodes: ClassVar[bool] = True
    terms: ClassVar = {
        "reconstruction": "",
        "kl": "",
    }
    weights: ClassVar = ("beta",)
    report: ClassVar = (
        ("lda", "lda 3-d"),
        ("samples",),
        ("reconstructions",),
        ("evaluation", "roc"),
        ("spectrum",),
        ("extremes",),
    )

    def term_weights(self, numbers: int) -> dict[str, float]:
        """Return 1 for reconstruction, and for `kl` beta divided by the number of values in an
        image."""
        weights = {"reconstruction": 1.0}
        return weights | ({"kl": self.beta / numbers} if self.variational else {})

    def summary(self) -> list[str]:
        """Say whether it is variational, and what bounds the latent."""
        kind = f"variational autoencoder, beta {self.beta:g}" if self.variational else "autoencoder"
        return [kind] + ["tanh latent"] * (self.activation == "tanh")

    def without_effect(self) -> dict[str, str]:
        """Return beta if there is no KL divergence."""
        why = "images are points, not distributions: set method.variational=true too"
        return {} if self.variational else {"beta": why}
