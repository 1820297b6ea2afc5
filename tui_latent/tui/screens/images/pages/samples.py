"""New images of a class: sampled from its Gaussian, decoded, and classified by LDA."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.screens.images.pages.page import Field, Page, PageRequest
from tui_latent.tui.screens.images.sheet import Sheet, verdict_tile

if TYPE_CHECKING:
    from tui_latent.analysis.decoding import RunDecoder
    from tui_latent.analysis.sampling import ClassSampler, ClassSamples

SAMPLES = 128
"""drawn for the count, as MNIST_CAELatentSpace does; as many as fit are shown"""


class SamplesPage(Page):
    """Shows samples of one class; those that LDA assigns to another are marked."""

    name, short = "samples", "Samples"
    of_classes = True
    goes: ClassVar[tuple[Field, Field]] = ("label", "label")
    draws = True
    decodes = True

    @cached_property
    def _sampler(self) -> ClassSampler:
        from tui_latent.analysis.sampling import ClassSampler

        return ClassSampler(self.run.source)

    @cached_property
    def _decoder(self) -> RunDecoder:
        from tui_latent.analysis.decoding import RunDecoder

        return RunDecoder(self.run.source)

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield the samples of a class, then how LDA classifies their images."""
        from tui_latent.analysis.latent_stats import latent_ranges

        found = self._sampler.draw(wanted.label, SAMPLES, wanted.draw)
        names = found.class_names
        mean = latent_ranges(self.run.source).class_means[wanted.label]
        middle = self._decoder.decode(mean[None])[0]
        own = names[wanted.label]
        shown = zip(found.images, found.called.tolist(), strict=True)
        tiles = [verdict_tile(image, names[called], own, "") for image, called in shown]
        place = (
            f"class {own} ({wanted.label} of 0–{len(names) - 1}) · draw {wanted.draw + 1} · "
            f"Gaussian of {found.training_images:,} training images"
        )
        facts = (place, *verdict_words(found))
        sheet = Sheet(facts, Tile(middle, "mean", "bold"), tiles, len(names))
        yield sheet
        yield replace(sheet, facts=(place, *verdict_words(self._sampler.recognise(found))))


def verdict_words(found: ClassSamples) -> list[str]:
    """Say how many samples LDA assigns to their class, and how many of their images."""
    names, count = found.class_names, len(found.called)
    own = names[found.label]
    first = f"LDA classifies {found.agreeing} of {count} samples as ‘{own}’"
    first += _others([names[called] for called in found.called.tolist()], own)
    if found.why_not:
        return [first, f"their images cannot be embedded again: {found.why_not}"]
    if found.recognised is None:
        return [first, "their images, embedded again: …"]
    again = int(np.count_nonzero(found.recognised == found.label))
    second = f"their images, embedded again: {again} of {count} as ‘{own}’"
    second += _others([names[called] for called in found.recognised.tolist()], own)
    return [first, second]


def _others(called: Sequence[str], own: str) -> str:
    counts = Counter(name for name in called if name != own).most_common(3)
    return f" ({', '.join(f'{name} ×{count}' for name, count in counts)})" if counts else ""
