"""Classes as Gaussians in the latent space: drawn, decoded, and classified again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.cache import Cache
from tui_latent.analysis.decoding import RunDecoder, no_decoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.latent_stats import class_names, finite
from tui_latent.analysis.run_data import RunData, RunLatents
from tui_latent.runs.latents_file import UNLABELLED

if TYPE_CHECKING:
    from torch import Tensor

    Classifier = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class ClassSamples:
    """Latents drawn from one class's Gaussian, decoded, and the classes that an LDA assigns."""

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
    """(N,) class that an LDA of the training latents assigns to each sample"""
    recognised: NDArray[np.int64] | None
    """(N,) class that it assigns to each decoded image, embedded again; None if not computed"""
    why_not: str = ""
    """why the images could not be embedded"""

    @property
    def agreeing(self) -> int:
        """The number of samples that the LDA assigns to their class."""
        return int((self.called == self.label).sum())


class ClassSampler:
    """Samples the classes of one run; needs latents and weights, and images for `recognised`.

    Every call may take seconds the first time, and may raise InspectionError.
    """

    def __init__(self, source: RunData) -> None:
        self.source = source
        self._decoder = RunDecoder(source)
        self._classifier: Cache[Classifier] = Cache(_fit_classifier)
        self._lost = ""

    def sample(self, label: int, count: int, seed: int) -> ClassSamples:
        """Draw `count` latents of a class's maximum-likelihood Gaussian and classify them.

        A seed always gives the same samples. InspectionError if the class has no training images
        or the method no decoder.
        """
        return self.recognise(self.draw(label, count, seed))

    def draw(self, label: int, count: int, seed: int) -> ClassSamples:
        """Do `sample` without classifying the decoded images; needs no images."""
        import torch

        from tui_latent.metrics.class_gaussians import class_samples

        if why := no_decoder(self.source.preset):
            raise InspectionError(f"{self.source.path.name}: {why}")
        latents = self.source.latents()
        bank, labels = finite(latents, latents.bank), latents.bank_labels
        fitted = int((labels == label).sum())
        if not fitted:
            raise InspectionError(f"{self.source.path.name}: class {label} has no training images")
        classify = self._classifier.of(latents)
        drawn = class_samples(bank, labels, label, count, torch.Generator().manual_seed(seed))
        return ClassSamples(
            label=label,
            class_names=class_names(self.source.path, latents),
            training_images=fitted,
            latents=drawn.numpy(),
            images=self._decoder.decode(drawn.numpy()),
            called=classify(drawn).numpy(),
            recognised=None,
        )

    def recognise(self, samples: ClassSamples) -> ClassSamples:
        """Embed the decoded images and classify them; without the dataset, say why not."""
        if not self._lost:
            try:
                classify = self._classifier.of(self.source.latents())
                recognised = classify(self._embedded(samples.latents)).numpy()
            except InspectionError as error:
                self._lost = str(error)  # images are not looked for again for each class
            else:
                return replace(samples, recognised=recognised)
        return replace(samples, why_not=self._lost)

    def _embedded(self, latents: NDArray[np.float32]) -> Tensor:
        """Return the latents of the images decoded from some, embedded like held-out ones."""
        import torch

        dataset = self.source.dataset()
        pixels = self._decoder.pixels(latents).mul(255).round().clamp(0, 255).div(255)
        with torch.inference_mode():
            return self.source.model().method.embed(dataset.normalise(pixels)).float()


def _fit_classifier(latents: RunLatents) -> Classifier:
    from tui_latent.metrics.class_gaussians import lda_classifier

    labelled = latents.bank_labels != UNLABELLED
    return lda_classifier(latents.bank[labelled], latents.bank_labels[labelled])
