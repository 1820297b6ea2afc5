"""Whether one of two predictors of the same images is right more often, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLED = 10_000
_SEED = 20_240_229


@dataclass(frozen=True)
class PairedShares:
    """Two accuracies of the same images."""

    only_first: int
    """images that only the first is right about"""
    only_second: int
    images: int
    difference: float
    """second accuracy less the first"""
    low: float
    """95 % interval of the difference, by bootstrap"""
    high: float
    p: float
    """probability of so unequal a count, or a more unequal one, if both are equally good"""


def paired_shares(
    first: NDArray[np.bool_], second: NDArray[np.bool_], confidence: float = 0.95
) -> PairedShares:
    """Compare which images two predictors are right about, bool (N,) each.

    `p` is McNemar's exact test, two-sided (Psychometrika 12, 1947; binomial over the images on
    which they differ). The interval is the percentile bootstrap over images; resampling them draws
    the three counts (only the first, only the second, both or neither) from a multinomial, so the
    10,000 resamples take no time. ValueError without images.
    """
    if not len(first):
        raise ValueError("there are no images to compare")
    from scipy.stats import binomtest

    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    images, differ = len(first), only_first + only_second
    p = float(binomtest(only_first, differ).pvalue) if differ else 1.0
    shares = np.array([only_first, only_second, images - differ]) / images
    drawn = np.random.default_rng(_SEED).multinomial(images, shares, size=_RESAMPLED)
    differences = (drawn[:, 1] - drawn[:, 0]) / images
    edge = (1 - confidence) / 2
    low, high = np.quantile(differences, [edge, 1 - edge]).tolist()
    return PairedShares(
        only_first, only_second, images, (only_second - only_first) / images, low, high, p
    )
