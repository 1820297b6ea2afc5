"""An encoder and a decoder around a latent space of points or of Gaussians."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from tui_latent.config.methods import NetworkSettings
from tui_latent.methods.losses import kl_to_standard_normal
from tui_latent.methods.method import Method
from tui_latent.methods.networks import Decoder, Encoder, gaussian, sample


class Bottleneck(nn.Module):
    """An autoencoder; `bound`, if given, limits the latents (for Gaussians, the means)."""

    def __init__(
        self,
        settings: NetworkSettings,
        shape: Sequence[int],
        variational: bool,
        bound: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        outputs = 2 * settings.latent_dim if variational else settings.latent_dim
        self.encoder = Encoder(settings, shape, outputs)
        self.decoder = Decoder(settings, shape)
        self._variational = variational
        self._bound = bound

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return latents and None, or mu and logvar: (N, latent_dim) float32 each."""
        outputs = self.encoder(x)
        mu, logvar = gaussian(outputs) if self._variational else (outputs, None)
        return (self._bound(mu) if self._bound else mu), logvar

    def decode(self, z: Tensor) -> Tensor:
        """Decode latents to images (N, C, H, W) in 0..1, or to features (N, D)."""
        x_hat: Tensor = self.decoder(z)
        return x_hat

    def reconstruct(self, mu: Tensor, logvar: Tensor | None) -> Tensor:
        """Decode the points, or one sample of each Gaussian."""
        return self.decode(mu if logvar is None else sample(mu, logvar))


class BottleneckMethod(Method):
    """A method whose network is a bottleneck."""

    network: Bottleneck

    def embed(self, x: Tensor) -> Tensor:
        """Return the latents, limited by the bound if there is one; for Gaussians, the means."""
        return self.network.encode(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Decode latents to images in 0..1 or to features."""
        return self.network.decode(z)


def divergence(mu: Tensor, logvar: Tensor | None) -> dict[str, Tensor]:
    """Return the term `kl` of Gaussians in nats per image; nothing for points."""
    return {} if logvar is None else {"kl": kl_to_standard_normal(mu, logvar)}
