"""VICReg: views of one image agree while every dimension varies and none repeats another."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_latent.config.methods.base import EarlierRun, NetworkSettings, register
from tui_latent.config.section import NonNegative, Positive


@register
class VicregSettings(NetworkSettings):
    """Views of one image agree while every dimension varies and none repeats another."""

    name: Literal["vicreg"]
    projector: tuple[Annotated[int, Field(ge=1)], ...] = (512, 512, 512)
    """layer widths of the projector, on whose output the loss is computed"""
    invariance_weight: NonNegative = 25.0
    """weight of the distance between the two views; 0 removes the term"""
    variance_weight: NonNegative = 25.0
    """weight of the hinge on the standard deviation of each dimension; 0 removes the term"""
    covariance_weight: NonNegative = 1.0
    """weight of the covariance between dimensions; 0 removes the term"""
    gamma: Positive = 1.0
    """target for the standard deviation of each dimension"""
    variance_sum: Literal["half", "full"] = "half"
    """average the variance terms of the two views (official code), or add them up (paper)"""
    views: Literal["augment", "neighbours"] = "augment"
    """second view: another augmentation, or a neighbour in the latent space of an earlier run"""
    neighbours_run: str = ""
    """earlier run (path, name or `latest`) whose latents define the neighbours"""
    neighbours: int = Field(3, ge=1, le=200)
    """number of nearest neighbours from which the second view is drawn"""
    draw_itself: bool = False
    """let the image itself be drawn as well, as often as each of its neighbours"""

    trained_by: ClassVar = "tui_latent.methods.vicreg:Vicreg"
    terms: ClassVar = {
        "invariance": "",
        "variance": "",
        "covariance": "",
    }
    same_loss: ClassVar = NetworkSettings.same_loss | {"projector"}
    weights: ClassVar = ("invariance_weight", "variance_weight", "covariance_weight")
    report: ClassVar = (
        ("components",),
        ("pca", "t-sne", "lda"),
        ("evaluation", "roc"),
        ("spectrum",),
        ("extremes",),
        ("anomalies",),
    )

    def term_weights(self, numbers: int) -> dict[str, float]:
        """Return the three weights of the preset."""
        return {
            "invariance": self.invariance_weight,
            "variance": self.variance_weight,
            "covariance": self.covariance_weight,
        }

    def summary(self) -> list[str]:
        """Give the three weights, and the source of neighbours."""
        words = ["VICReg " + " : ".join(f"{weight:g}" for weight in self.term_weights(1).values())]
        if self.views == "neighbours":
            run = self.neighbours_run or "an earlier run"
            itself = "itself or " * self.draw_itself
            many = self.neighbours > 1
            near = f"one of {self.neighbours} neighbours" if many else "its nearest neighbour"
            words.append(f"second view: {itself}{near} in {run}")
        return words

    def earlier_run(self) -> EarlierRun | None:
        """Return the run that defines the neighbours, if they are used."""
        if self.views != "neighbours":
            return None
        return EarlierRun("neighbours_run", self.neighbours_run, self.neighbours, self.draw_itself)

    def without_effect(self) -> dict[str, str]:
        """Return the settings of neighbours and of the variance term, if these are not used."""
        idle: dict[str, str] = {}
        if self.views == "augment":
            why = "the second view is another augmentation: set method.views=neighbours too"
            idle |= dict.fromkeys(("neighbours_run", "neighbours", "draw_itself"), why)
        if not self.variance_weight:
            why = "method.variance_weight is 0: set it too"
            idle |= dict.fromkeys(("gamma", "variance_sum"), why)
        return idle
