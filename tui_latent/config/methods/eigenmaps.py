"""Laplacian eigenmaps: one fit on the graph of neighbours, without a network."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tui_latent.config.methods.base import MethodSettings, register
from tui_latent.config.section import LatentDim
from tui_latent.nouns import counted


@register
class EigenmapsSettings(MethodSettings):
    """Laplacian eigenmaps: one fit on the neighbour graph; no network, labels are not used."""

    name: Literal["eigenmaps"]
    latent_dim: LatentDim = 2
    """dimension of the latent space: numbers per image"""
    neighbours: int = Field(10, ge=1, le=1000)
    """edges per image in the neighbour graph"""

    trained_by: ClassVar = "tui_latent.methods.eigenmaps:Eigenmaps"
    fitted: ClassVar[bool] = True
    report: ClassVar = (
        ("pca", "t-sne", "lda"),
        ("evaluation", "roc"),
        ("spectrum",),
        ("extremes",),
        ("anomalies",),
    )

    def summary(self) -> list[str]:
        """Give the size of the neighbourhoods."""
        return [f"Laplacian eigenmaps, {counted(self.neighbours, 'neighbour')}"]
