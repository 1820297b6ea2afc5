"""Quantiles of the studentised range: the largest difference among means that noise explains.

scipy.stats has them too, but takes a second and more to import, for which a screen would wait.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_NODES: Final = 96
_HIGHEST: Final = 1e4
_ALIKE: Final = 1e-6
"""relative width at which the bisection ends"""


@lru_cache(maxsize=256)
def quantile(share: float, groups: int, freedom: int) -> float:
    """Return q such that the range of `groups` means over their error exceeds q in 1 - share.

    `freedom` are the degrees of freedom of the variance. Found by bisection of the distribution
    function, to six digits. Source: D. B. Owen, Handbook of Statistical Tables, 1962, 6.
    """
    low, high = 0.0, 4.0
    while _probability(high, groups, freedom) < share and high < _HIGHEST:
        low, high = high, 2 * high
    while high - low > _ALIKE * high:
        middle = (low + high) / 2
        if _probability(middle, groups, freedom) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@lru_cache(maxsize=1)
def _nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places and weights of Gauss and Legendre's quadrature on -1 to 1."""
    places, weights = np.polynomial.legendre.leggauss(_NODES)
    return np.asarray(places, np.float64), np.asarray(weights, np.float64)


def _probability(q: float, groups: int, freedom: int) -> float:
    """Return the probability that the studentised range is below q.

    The range of normal values, averaged over the distribution of the estimated deviation s,
    whose square times `freedom` is chi-squared.
    """
    from scipy.special import gammaln, ndtr

    nodes, weights = _nodes()
    # s lies within these bounds with a probability of 1 - 1e-12 or more.
    spread = 8.0 / math.sqrt(2 * freedom)
    bottom, top = max(1e-9, 1 - spread), 1 + spread + 8.0 / freedom
    s = bottom + (top - bottom) * (nodes + 1) / 2
    log_density = (
        math.log(2)
        + freedom / 2 * math.log(freedom / 2)
        - gammaln(freedom / 2)
        + (freedom - 1) * np.log(s)
        - freedom * s**2 / 2
    )
    z = 9.0 * nodes
    normal = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    within = (ndtr(z[None, :]) - ndtr(z[None, :] - q * s[:, None])) ** (groups - 1)
    of_range = groups * (within * normal * weights).sum(1) * 9.0
    return float((np.exp(log_density) * of_range * weights).sum() * (top - bottom) / 2)
