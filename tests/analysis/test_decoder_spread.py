"""How much decoded latents differ, against plain numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_latent.analysis.decoder_spread import decoder_spread
from tui_latent.analysis.decoding import RunDecoder
from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.evaluation_parts import LabelledLatents
from tui_latent.analysis.run_data import RunData

Trained = Callable[[str], Path]


def spread(source: RunData, images: int) -> dict[str, Any]:
    found = source.latents()
    queries, labels = found.queries[:images], found.query_labels[:images]
    space = LabelledLatents(found.bank, found.bank_labels, queries, labels, ())
    return decoder_spread(source, space, lambda: None)


def test_it_is_the_deviation_of_the_decoded_images_at_a_pixel(trained: Trained) -> None:
    source = RunData(trained("autoencoder"))
    images = RunDecoder(source).decode(source.latents().queries[:50].numpy()) / 255
    pixels = [[image[y, x, 0] for image in images] for y in range(8) for x in range(8)]
    found = spread(source, 50)
    assert found["images"] == 50
    assert found["deviation"] == pytest.approx(np.mean([np.std(values) for values in pixels]))


def test_one_image_says_nothing_about_the_decoder(trained: Trained) -> None:
    with pytest.raises(NotMeasured, match="at least two held-out images"):
        spread(RunData(trained("autoencoder")), 1)
