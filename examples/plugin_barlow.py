"""Barlow Twins (Zbontar et al. 2021, arXiv:2103.03230) as a plugin: a method in one file.

tui-latent train examples/plugin_barlow.toml --plugin examples/plugin_barlow.py
"""

from typing import Any, ClassVar, Literal

from tui_latent.config.methods.base import NetworkSettings, register
from tui_latent.config.section import NonNegative


@register
class BarlowTwinsSettings(NetworkSettings):
    """Two views correlate in each dimension, and in no pair of different dimensions."""

    name: Literal["barlow_twins"]
    redundancy_weight: NonNegative = 0.005
    """weight of the correlations between different dimensions; 0 removes the term"""

    trained_by: ClassVar = ":barlow_twins"
    terms: ClassVar = {
        "on_diagonal": "How far the two views are from correlating fully. It should fall to 0.",
        "off_diagonal": "How far different dimensions correlate. It rises if some repeat others.",
    }
    weights: ClassVar = ("redundancy_weight",)
    report: ClassVar = (("components",), ("evaluation", "roc"))

    def term_weights(self, numbers: int) -> dict[str, float]:
        return {"on_diagonal": 1.0, "off_diagonal": self.redundancy_weight}

    def summary(self) -> list[str]:
        return [f"Barlow Twins, lambda {self.redundancy_weight:g}"]


def barlow_twins() -> type:
    """Return the class that is trained; torch is imported here, so the menu opens without it."""
    from torch import Tensor

    from tui_latent.methods import Method
    from tui_latent.methods.losses import in_full_precision
    from tui_latent.methods.networks import Encoder, projector

    @in_full_precision
    def terms(z_a: Tensor, z_b: Tensor) -> dict[str, Tensor]:
        z_a, z_b = ((z - z.mean(0)) / z.std(0).clamp_min(1e-6) for z in (z_a, z_b))
        correlation = z_a.T @ z_b / len(z_a)
        on = correlation.diagonal()
        off = correlation.square().sum() - on.square().sum()
        return {"on_diagonal": (on - 1).square().sum(), "off_diagonal": off}

    class BarlowTwins(Method):
        pairing = "views"

        def __init__(self, settings: Any, input_shape: Any) -> None:
            super().__init__(settings, input_shape)
            self.encoder = Encoder(settings, input_shape, settings.latent_dim)
            self.projector = projector((settings.latent_dim, 128, 128))

        def losses(self, batch: Any) -> dict[str, Tensor]:
            return terms(*self.projector(self.encoder(batch.x)).chunk(2))

        def embed(self, x: Tensor) -> Tensor:
            latents: Tensor = self.encoder(x)
            return latents

    return BarlowTwins
