"""Classes as Gaussians in the latent space: drawn, decoded, and classified again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui_latent.inspection.decoding import RunDecoder, no_decoder
from tui_latent.inspection.errors import InspectionError
from tui_latent.inspection.ranges import class_names, finite
from tui_latent.inspection.remembered import Remembered
from tui_latent.inspection.source import RunLatents, RunSource

if TYPE_CHECKING:
    from torch import Tensor

    Classifier = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class ClassSamples:
    """Latents drawn from one class's Gaussian, as images, and what an LDA takes them for."""

    label: int
    """class whose Gaussian they were drawn from"""
    class_names: tuple[str, ...]
    training_images: int
    """latents that the Gaussian was fitted to"""
    latents: NDArray[np.float32]
    """(N, D)"""
    images: NDArray[np.uint8]
    """(N, H, W, C)"""
    called: NDArray[np.int64]
    """(N,) class that an LDA of the training latents names for each sample"""
    recognised: NDArray[np.int64] | None
    """(N,) class that it names for the latent of each decoded image; None where `why_not` says"""
    why_not: str = ""

    @property
    def agreeing(self) -> int:
        """How many samples the LDA takes for their class."""
        return int((self.called == self.label).sum())


class ClassSampler:
    """Samples the classes of one run; needs latents and weights, and images for `recognised`.

    Every call may take seconds the first time, and may raise InspectionError.
    """

    def __init__(self, source: RunSource) -> None:
        self.source = source
        self._decoder = RunDecoder(source)
        self._classifier: Remembered[Classifier] = Remembered(_fit_classifier)

    def sample(self, label: int, count: int, seed: int) -> ClassSamples:
        """Draw `count` latents of a class's maximum-likelihood Gaussian; the same seed, the same.

        InspectionError when the class has no training images or the method no decoder.
        """
        import torch

        from tui_latent.evaluation.generation import class_samples

        if why := no_decoder(self.source.preset):
            raise InspectionError(f"{self.source.path.name}: {why}")
        latents = self.source.latents()
        names = class_names(self.source.path, latents)
        bank, labels = finite(latents, latents.bank), latents.bank_labels
        fitted = int((labels == label).sum())
        if not fitted:
            raise InspectionError(f"{self.source.path.name}: class {label} has no training image")
        classify = self._classifier.of(latents)
        generator = torch.Generator().manual_seed(seed)
        drawn = class_samples(bank, labels, label, count, generator)
        images = self._decoder.decode(drawn.numpy())
        recognised, why_not = None, ""
        try:
            recognised = classify(self._embedded(images)).numpy()
        except InspectionError as error:
            why_not = str(error)
        called = classify(drawn).numpy()
        return ClassSamples(
            label, names, fitted, drawn.numpy(), images, called, recognised, why_not
        )

    def _embedded(self, images: NDArray[np.uint8]) -> Tensor:
        """Return the latents of images (N, H, W, C) as if they were held out."""
        import torch

        dataset = self.source.dataset()
        pixels = torch.from_numpy(images).movedim(-1, -3).float().div_(255)
        with torch.inference_mode():
            return self.source.model().method.embed(dataset.normalise(pixels)).float()


def _fit_classifier(latents: RunLatents) -> Classifier:
    from tui_latent.evaluation.generation import lda_classifier

    return lda_classifier(latents.bank, latents.bank_labels)
