"""What there is to draw of a spectrum, and what it says."""

from __future__ import annotations

from typing import Any

import numpy as np

from tui_latent.analysis.spectrum_words import drawable_spectrum, spectrum_words


def found(variances: list[float], alpha: float | None = 1.2) -> dict[str, Any]:
    return {"collapse": {"spectrum": variances, "alpha_req": alpha}}


def test_the_axes_that_hold_nine_tenths_are_counted() -> None:
    variances = [8.0, 4.0, 2.0, 1.0, 0.5, 0.25]
    shares = np.cumsum(variances) / sum(variances)
    needed = next(axes for axes, share in enumerate(shares, 1) if share >= 0.9)
    assert spectrum_words(found(variances)) == (
        f"{needed} of 6 principal axes hold 90 % of the variance. "
        "Variances fall as rank to the power of -1.20 (alpha-ReQ)."
    )
    one = spectrum_words(found([1.0, 0.0, 0.0, 0.0], None))
    assert one == "1 of 4 principal axes holds 90 % of the variance."


def test_a_spectrum_that_was_cut_says_so() -> None:
    assert "of the first 256 principal axes" in spectrum_words(found([1.0] * 256))


def test_too_few_axes_and_collapsed_latents_have_no_curve() -> None:
    for variances in ([], [2.0, 1.0], [0.0] * 8):
        assert not len(drawable_spectrum(found(variances)))
    assert not len(drawable_spectrum({}))


def test_a_variance_of_zero_can_be_drawn_on_a_logarithmic_axis() -> None:
    shown = drawable_spectrum(found([4.0, 2.0, 1.0, 0.0]))
    assert shown[:3].tolist() == [4, 2, 1] and 0 < shown[3] < 1e-6
