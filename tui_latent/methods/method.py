"""What every method offers to training, evaluation and inspection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from tui_latent.config.settings import Section, StageSettings

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


class Method(nn.Module):
    """A model of a latent space: its networks, its loss terms, what it asks of the pairing.

    `losses` may draw noise from torch's global generator; `embed` and `decode` never do.
    """

    terms: tuple[str, ...] = ()
    """names that `losses` returns, in display order"""
    pairing: str = ""
    """kind of pairing it learns from; "none" for a method that is fitted at once.

    A class that leaves it empty decides in its instances.
    """

    def __init__(self, settings: Section, input_shape: Sequence[int]) -> None:
        """Build for images of shape (C, H, W), or for features of shape (D,)."""
        super().__init__()

    def weights(self) -> dict[str, float]:
        """Return the weight of each term in the loss; 0 for terms that are only charted."""
        raise NotImplementedError

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return each term, not weighted: float32 scalars on the device."""
        raise NotImplementedError

    def embed(self, x: Tensor) -> Tensor:
        """Return latents (N, latent_dim), float32, of what a network sees (N, ...)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor | None:
        """Return images (N, C, H, W) in 0..1, or features (N, D), of latents; None: no decoder."""
        return None

    def start_stage(self, stage: StageSettings) -> list[nn.Parameter]:
        """Make the network what this stage asks for; return the parameters that learn in it."""
        return list(self.parameters())

    def fit(self, x: Tensor) -> None:
        """Fit all training images (N, ...) at once, for methods whose pairing is "none"."""
        raise NotImplementedError
