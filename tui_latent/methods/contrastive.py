"""Contrastive learning: views of one image attract, all others repel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn

from tui_latent.config.methods.contrastive import ContrastiveSettings
from tui_latent.config.settings import StageSettings
from tui_latent.methods import losses
from tui_latent.methods.method import Method
from tui_latent.methods.networks import Encoder, gaussian, latent_head, sample

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


_LOSSES: dict[str, Callable[[Tensor, Tensor, ContrastiveSettings, slice], Tensor]] = {
    "cauchy": lambda a, b, s, own: losses.cauchy_info_nce(a, b, s.decoupled, own),
    "nt_xent": lambda a, b, s, own: losses.nt_xent(a, b, s.temperature, s.decoupled, own),
    "dot": lambda a, b, s, own: losses.dot_info_nce(a, b, s.temperature, s.decoupled, own),
    "gaussian": lambda a, b, s, own: losses.gaussian_info_nce(
        a, b, s.temperature, s.decoupled, own
    ),
}
"""`method.loss` -> InfoNCE of two views, over the pairs of a slice"""


class Contrastive(Method):
    """InfoNCE on the latents themselves, of any dimension, in stages like those of t-SimCNE.

    With `gaussian`, an image is a Gaussian: views are sampled from it, and its mean is the latent.
    """

    pairing = "views"

    def __init__(self, settings: ContrastiveSettings, input_shape: Sequence[int]) -> None:
        super().__init__(settings, input_shape)
        self.settings = settings
        self.latent_dim = settings.latent_dim
        self.body_learns = True
        self.encoder = Encoder(settings, input_shape, self._outputs(self.latent_dim))
        if settings.head_dim:
            self.encoder.latent = self._new_latent_layer(self.latent_dim)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return `info_nce` of two views, `norm` of their latents and, for Gaussians, `kl`."""
        # A frozen body has no backward pass, so its activations need not be kept.
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.body_learns):
            h = self.encoder.body(batch.x)
        outputs = self.encoder.project(h)
        terms = {}
        if self.settings.gaussian:
            mu, logvar = gaussian(outputs)
            z = sample(mu, logvar)
            terms["kl"] = losses.kl_to_standard_normal(mu, logvar)
        else:
            z = mu = outputs
        z_a, z_b = self.gathered(self._perturbed(z), groups=2).chunk(2)
        info_nce = _LOSSES[self.settings.loss](z_a, z_b, self.settings, self.own(len(z_a)))
        return {"info_nce": info_nce, "norm": losses.norm(mu), **terms}

    def embed(self, x: Tensor) -> Tensor:
        """Return the latents; for Gaussians, the means."""
        outputs: Tensor = self.encoder(x)
        return gaussian(outputs)[0] if self.settings.gaussian else outputs

    def start_stage(self, stage: StageSettings) -> list[nn.Parameter]:
        """Replace the latent layer if its dimension changes; freeze the body if it is not trained.

        A frozen body also keeps the statistics of its batch norms.
        """
        if stage.latent_dim != self.latent_dim:
            device = next(self.parameters()).device
            self.encoder.latent = self._new_latent_layer(stage.latent_dim).to(device)
            self.latent_dim = stage.latent_dim
        self.body_learns = stage.trainable == "all"
        self.encoder.body.requires_grad_(self.body_learns)
        self.train(self.training)
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def train(self, mode: bool = True) -> Self:
        """Set training mode; a frozen body stays in evaluation mode."""
        super().train(mode)
        if not self.body_learns:
            self.encoder.body.eval()
        return self

    def _outputs(self, latent_dim: int) -> int:
        return 2 * latent_dim if self.settings.gaussian else latent_dim

    def _new_latent_layer(self, latent_dim: int) -> nn.Module:
        hidden, outputs = self.settings.hidden_dim, self._outputs(latent_dim)
        if self.settings.head_dim:
            return latent_head(hidden, self.settings.head_dim, outputs)
        return nn.Linear(hidden, outputs)

    def _perturbed(self, z: Tensor) -> Tensor:
        if not self.settings.perturb:
            return z
        spread = self.gathered(z.detach()).var(0).mean().sqrt()
        return z + self.settings.perturb * spread * torch.randn_like(z)
