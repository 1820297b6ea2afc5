"""Images decoded from latents, for methods with a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import shown
from tui_latent.analysis.run_data import NO_NETWORK, RunData

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.config.settings import Preset
from tui_latent.config.stand_ins import UnknownMethod


@dataclass(frozen=True, eq=False)
class Reconstructions:
    """Held-out images and their reconstructions."""

    originals: NDArray[np.uint8]
    """(N, H, W, C)"""
    images: NDArray[np.uint8]
    """(N, H, W, C)"""
    errors: NDArray[np.float64]
    """(N,) mean squared differences of pixels in 0..1, before they are rounded to bytes"""


def no_decoder(preset: Preset | None) -> str:
    """Return why latents of a preset cannot be decoded to images; empty if they can."""
    if preset is None:
        return NO_NETWORK
    if isinstance(preset.method, UnknownMethod):
        return preset.method.why
    if not preset.method.decodes:
        name = preset.method.name
        return f"{name} has no decoder: it turns images into latents, but not latents into images"
    if preset.data.inputs != "raw":
        return f"its decoder turns latents into {preset.data.inputs} features, not into images"
    return ""


class RunDecoder:
    """Decodes latents of one run with its newest weights; the first call takes seconds.

    Thread-safe. Every call may raise InspectionError.
    """

    def __init__(self, source: RunData) -> None:
        self.source = source

    def decode(self, latents: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return images (N, H, W, C) of latents (N, D); needs only the weights."""
        return shown(self.pixels(latents), self.source.shown_channels())

    def pixels(self, latents: NDArray[np.floating]) -> Tensor:
        """Return images with all their channels, float32 (N, C, H, W) in 0..1."""
        import torch

        return self._pixels(torch.from_numpy(np.asarray(latents, np.float32)))

    def reconstruct(self, indices: Sequence[int]) -> Reconstructions:
        """Return held-out images and their reconstructions, of Gaussians from the mean."""
        import torch

        from tui_latent.datasets.image_set import pixels

        self._require()
        dataset = self.source.dataset()
        for index in indices:
            self.source.require(index, dataset.val)
        rows = torch.tensor(indices, dtype=torch.int64)
        originals = pixels(dataset.val, rows)
        with torch.inference_mode():
            latents = self.source.model().method.embed(dataset.inputs(dataset.val, rows))
        x_hat = self._pixels(latents)
        errors = (x_hat.double() - originals.double()).square().flatten(1).mean(1)
        show = self.source.shown_channels()
        return Reconstructions(shown(originals, show), shown(x_hat, show), errors.numpy())

    def _pixels(self, latents: Tensor) -> Tensor:
        """Return decoded images: float32 in 0..1, (N, C, H, W)."""
        import torch

        self._require()
        method = self.source.model().method
        wanted = self.source.own_preset().method.latent_dim
        if latents.ndim != 2 or latents.shape[1] != wanted:
            shape = "x".join(str(size) for size in latents.shape)
            raise InspectionError(f"latents of {wanted} numbers each are decoded, not {shape}")
        with torch.inference_mode():
            x_hat = method.decode(latents)
        assert x_hat is not None, "the settings say that this method decodes"
        return x_hat.float()

    def _require(self) -> None:
        if why := no_decoder(self.source.preset):
            raise InspectionError(f"{self.source.path.name}: {why}")
