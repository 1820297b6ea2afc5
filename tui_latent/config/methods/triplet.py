"""Triplets: images of one class lie nearer to each other than to other classes, by a margin."""

from __future__ import annotations

from typing import ClassVar, Literal

from tui_latent.config.methods.base import NetworkSettings, register
from tui_latent.config.section import Positive


@register
class TripletSettings(NetworkSettings):
    """Images of one class lie nearer to each other than to other classes, by a margin."""

    name: Literal["triplet"]
    margin: Positive = 1.0
    """how much nearer the positive must be than the negative"""
    squared: bool = True
    """use squared Euclidean distances"""
    negatives: Literal["random", "semi-hard"] = "random"
    """how the negative, an image of another class, is chosen"""

    trained_by: ClassVar = "tui_latent.methods.triplet:Triplet"
    supervised: ClassVar[bool] = True
    terms: ClassVar = {
        "triplet": "",
    }
    report: ClassVar = (
        ("voronoi", "training confusion"),
        ("t-sne", "point cloud"),
        ("evaluation", "roc"),
        ("extremes",),
    )

    def term_weights(self, numbers: int) -> dict[str, float]:
        """The triplet term is the loss."""
        return {"triplet": 1.0}

    def labels_needed(self) -> str:
        """Say how classes make triplets."""
        return (
            "compares each image with another one of its class and with one of another class, so "
            "each image needs a class, and there must be at least two classes"
        )

    def summary(self) -> list[str]:
        """Give the margin and the kind of negatives."""
        return [f"class triplets, margin {self.margin:g}", f"{self.negatives} negatives"]
