"""Siamese and triplet autoencoders: a metric loss mixed with reconstruction."""

from __future__ import annotations

from typing import ClassVar, Literal

from tui_latent.config.methods.base import NetworkSettings, register
from tui_latent.config.section import NonNegative, Positive, Probability


@register
class SiameseSettings(NetworkSettings):
    """A metric loss on pairs or triplets, mixed with reconstruction."""

    name: Literal["siamese"]
    pairing: Literal["pairs", "triplets"] = "pairs"
    """compare pairs or triplets of images"""
    variational: bool = False
    """make each image a Gaussian, compared as such, instead of a point"""
    metric_weight: Probability = 0.5
    """share of the metric loss; the rest is reconstruction"""
    margin: Positive = 1.0
    """distance beyond which images of different classes are left alone"""
    normalise: bool = False
    """scale latents to length 1"""
    kl_weight: NonNegative = 0.0
    """weight of the KL divergence from a standard normal (variational only)"""

    trained_by: ClassVar = "tui_latent.methods.siamese:Siamese"
    supervised: ClassVar[bool] = True
    decodes: ClassVar[bool] = True
    terms: ClassVar = {
        "pairwise": "",
        "triplet": "",
        "reconstruction": "",
        "kl": "",
    }
    weights: ClassVar = ("metric_weight", "kl_weight")
    report: ClassVar = (
        ("components",),
        ("thumbnails", "training confusion"),
        ("reconstructions",),
        ("samples",),
        ("evaluation", "roc"),
        ("extremes",),
    )

    def term_weights(self, numbers: int) -> dict[str, float]:
        """Return the mix; reconstruction counts once for each image of a pair or triplet.

        `kl` is divided by the number of values in an image, as the mean in reconstruction is.
        """
        metric, images = ("pairwise", 2) if self.pairing == "pairs" else ("triplet", 3)
        share = self.metric_weight
        weights = {metric: share, "reconstruction": (1 - share) * images}
        return weights | ({"kl": self.kl_weight / numbers} if self.variational else {})

    def labels_needed(self) -> str:
        """Say how classes make pairs or triplets."""
        if self.pairing == "triplets":
            how = "with another one of its class and with one of another class"
        else:
            how = "with one of its class or of another class"
        return (
            f"compares each image {how}, so each image needs a class, and there must be at least "
            "two classes"
        )

    def summary(self) -> list[str]:
        """Name what is compared, on which autoencoder, and the mix."""
        kind = "a variational autoencoder" if self.variational else "an autoencoder"
        share = f"{100 * self.metric_weight:.3g}\N{NO-BREAK SPACE}%"
        return [f"class {self.pairing} on {kind}", f"metric {share}, rest reconstruction"]

    def without_effect(self) -> dict[str, str]:
        """Return the KL weight if there is no KL, and the margin if there is no metric."""
        idle: dict[str, str] = {}
        if not self.variational:
            why = "images are points, not distributions: set method.variational=true too"
            idle["kl_weight"] = why
        if not self.metric_weight:
            idle["margin"] = "method.metric_weight is 0: set it too"
        return idle
