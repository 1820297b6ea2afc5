"""Grey images of more than 8 bits, scaled by one range in all images of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.decoded_cache import Decoded
from tui_latent.datasets.image_file import WIDE_FLOATS, WIDE_INTEGERS


def share_ranges(splits: Sequence[Decoded]) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Return images in which a value has the same grey in all splits, and what was done.

    Each file was decoded with its own range of values. All integer files are rescaled to their
    common range, and so are all float files. Where nothing is rescaled, images stay in their file.
    """
    images, notes = [split.images for split in splits], []
    for kind, words in ((WIDE_INTEGERS, "of more than 8 bits"), (WIDE_FLOATS, "of floats")):
        chosen = [np.flatnonzero(split.notes & kind) for split in splits]
        ranges = [s.ranges[rows] for s, rows in zip(splits, chosen, strict=True)]
        together = np.concatenate(ranges)
        if not len(together):
            continue
        low, high = float(together[:, 0].min()), float(together[:, 1].max())
        for at, (split, rows, own) in enumerate(zip(splits, chosen, ranges, strict=True)):
            rescaled = rows[(own != (low, high)).any(1)]
            if len(rescaled) and images[at] is split.images:
                images[at] = np.array(split.images)
            for row in rescaled:
                images[at][row] = _as_greys(split.ranges[row], low, high)[split.images[row]]
        notes.append(
            f"{len(together):,} grey images {words}: "
            f"{low:,.6g} is shown as black, {high:,.6g} as white"
        )
    return images, notes


def _as_greys(own: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Return a table from greys in the range of a file to greys in the range `low`..`high`."""
    values = own[0] + np.arange(256) / 255 * (float(own[1]) - own[0])
    greys = (values - low) * (255 / ((high - low) or 1))
    table: NDArray[np.uint8] = np.rint(greys).clip(0, 255).astype(np.uint8)
    return table
