"""Contrastive learning: views of one image attract, all others repel."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from tui_latent.config.methods.base import NetworkSettings, register
from tui_latent.config.section import NonNegative, Positive

_LOSSES: Final = {
    "cauchy": "Cauchy InfoNCE",
    "nt_xent": "NT-Xent",
    "dot": "dot-product InfoNCE",
    "gaussian": "Gaussian InfoNCE",
}


@register
class ContrastiveSettings(NetworkSettings):
    """Views of one image attract, all others repel; labels are not used."""

    name: Literal["contrastive"]
    loss: Literal["cauchy", "nt_xent", "dot", "gaussian"] = "cauchy"
    """similarity in InfoNCE: 1/(1 + d²), or the exponential of the cosine, of the dot product or
    of -d², each over a temperature"""
    temperature: Positive = 0.5
    """temperature of the similarity; the Cauchy loss has none"""
    decoupled: bool = False
    """leave the positive pair out of the denominator"""
    norm_weight: NonNegative = 0.0
    """weight of the mean squared length of the latents"""
    head_dim: int = Field(0, ge=0, le=8192)
    """hidden units between representation and latent; 0 makes the latent layer linear"""
    gaussian: bool = False
    """make each image a Gaussian (mean and log-variance, sampled) instead of a point"""
    kl_weight: NonNegative = 0.0
    """weight of the KL divergence from a standard normal (Gaussians only)"""
    perturb: NonNegative = 0.0
    """standard deviation of noise added to the latents, relative to theirs"""

    trained_by: ClassVar = "tui_latent.methods.contrastive:Contrastive"
    staged: ClassVar[bool] = True
    terms: ClassVar = {
        "info_nce": "",
        "norm": "",
        "kl": "",
    }
    same_loss: ClassVar = NetworkSettings.same_loss | {"head_dim"}
    weights: ClassVar = ("norm_weight", "kl_weight")
    report: ClassVar = (
        ("thumbnails", "voronoi"),
        ("evaluation", "roc"),
        ("extremes",),
        ("anomalies",),
    )

    def term_weights(self, numbers: int) -> dict[str, float]:
        """Return 1 for InfoNCE; `norm` and `kl` count as the preset says."""
        weights = {"info_nce": 1.0, "norm": self.norm_weight}
        return weights | ({"kl": self.kl_weight} if self.gaussian else {})

    def summary(self) -> list[str]:
        """Name the similarity and, if there is one, the temperature."""
        words = f"contrastive, {_LOSSES[self.loss]}"
        if "temperature" not in self.without_effect():
            words += f" at temperature {self.temperature:g}"
        return [words] + ["decoupled"] * self.decoupled

    def latent_summary(self) -> list[str]:
        """Say whether the latents are kept short, and whether they are Gaussians."""
        words = [f"norm {self.norm_weight:g}"] if self.norm_weight else []
        return words + ["a Gaussian per image"] * self.gaussian

    def without_effect(self) -> dict[str, str]:
        """Return the temperature if the loss has none, and the KL weight if there is no KL."""
        idle: dict[str, str] = {}
        if self.loss == "cauchy":
            idle["temperature"] = "the loss 'cauchy' has none: set method.loss=nt_xent too"
        if not self.gaussian:
            why = "images are points, not distributions: set method.gaussian=true too"
            idle["kl_weight"] = why
        return idle
