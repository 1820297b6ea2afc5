"""The spectrum of an evaluation's latents: what there is to draw, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.number_format import number

MOST_AXES: Final = 256
"""variances that an evaluation keeps"""
_FEWEST: Final = 4
"""axes from which a curve says more than their variances side by side"""
_MOST: Final = 0.9
"""share of the variance whose axes are counted"""
_SMALLEST: Final = 1e-9
"""share of the largest variance to which smaller ones are raised: below it is rounding"""


def drawable_spectrum(found: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the variances (D,) along the principal axes, the largest first, all above 0.

    None (0,) if the evaluation has no spectrum, or one of too few axes for a curve.
    """
    variances: NDArray[np.float64] = np.array(
        found.get("collapse", {}).get("spectrum") or (), float
    )
    if len(variances) < _FEWEST or not variances[0] > 0:
        return np.zeros(0)
    raised: NDArray[np.float64] = np.maximum(variances, _SMALLEST * variances[0])
    return raised


def spectrum_words(found: Mapping[str, Any]) -> str:
    """Say of a spectrum that can be drawn how many axes count, and how fast variances fall."""
    of = found["collapse"]
    variances: Sequence[float] = of["spectrum"]
    shares = np.cumsum(variances) / np.sum(variances)
    needed, axes = int((shares < _MOST).sum()) + 1, len(variances)
    which = f"the first {axes}" if axes >= MOST_AXES else f"{axes}"
    hold = "holds" if needed == 1 else "hold"
    words = f"{needed} of {which} principal axes {hold} {100 * _MOST:.0f} % of the variance."
    if of.get("alpha_req") is not None:
        words += f" Variances fall as rank to the power of -{number(of['alpha_req'])} (alpha-ReQ)."
    return words
