"""scikit-learn's digits: 1,797 images of 8x8 pixels, bundled with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_latent.sources.base import PublicDataset, Split, register


def _read(paths: Sequence[Path]) -> Split:
    """Return all digits, with 0..16 stretched to 0..255."""
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None], digits.target


register(
    PublicDataset(
        name="digits",
        heading="Bundled, nothing to download",
        title="scikit-learn digits",
        shape=(1, 8, 8),
        class_names=tuple("0123456789"),
        train=1438,
        held_out=359,
        read=_read,
        bundled_with="scikit-learn",
    )
)
