"""How much decoded latents of different images differ: not at all if the decoder ignores them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tui_latent.analysis.decoding import RunDecoder, no_decoder
from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.run_data import RunData

if TYPE_CHECKING:
    from tui_latent.analysis.evaluation_parts import LabelledLatents

DECODED: Final = 256
"""held-out latents that are decoded, evenly spaced among all"""


def decodes(source: RunData) -> bool:
    """Return whether a run's latents can be decoded to images."""
    return not no_decoder(source.preset)


def decoder_spread(
    source: RunData, space: LabelledLatents, on_chunk: Callable[[], None]
) -> dict[str, Any]:
    """Return the mean over pixels of the standard deviation of decoded images, pixels in 0..1.

    Needs the newest weights and no images; InspectionError without weights, NotMeasured with one
    held-out image.
    """
    if len(space.queries) < 2:
        raise NotMeasured("needs at least two held-out images")
    on_chunk()
    rows = np.unique(np.linspace(0, len(space.queries) - 1, DECODED).round().astype(int))
    images = RunDecoder(source).decode(space.queries.numpy()[rows])
    deviation = (images.astype(np.float64) / 255).std(axis=0).mean()
    return {"deviation": float(deviation), "images": len(rows)}
