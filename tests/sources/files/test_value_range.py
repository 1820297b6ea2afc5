"""One range for all images of a set: percentiles against numpy, and what each bit depth shows."""

from __future__ import annotations

import numpy as np
import pytest

from tui_latent.sources.files.image_values import INTEGERS
from tui_latent.sources.files.value_range import ValueCounts, chosen_scales, shown_range

RANDOM = np.random.default_rng(3)
SHARES = (0, 0.5, 1, 25, 50, 99, 99.9, 100)


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.integers(0, 65536, (20, 30, 2)).astype(np.uint16),
        RANDOM.integers(-32768, 32768, 701).astype(np.int16),
        RANDOM.integers(0, 256, 50).astype(np.uint8),
        RANDOM.integers(0, 5000, 3000).astype(np.int64),
        np.array([7, 7, 7, 9], np.uint16),
    ],
    ids=["uint16", "int16", "uint8", "int64", "few"],
)
def test_percentiles_of_16_bits_are_exact(values: np.ndarray) -> None:
    counts = ValueCounts()
    for part in np.array_split(values.reshape(-1), 3):
        counts.add(part)
    np.testing.assert_allclose(counts.percentiles(SHARES), np.percentile(values, SHARES))


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.normal(0, 100, 20_000),
        RANDOM.normal(5, 1, 20_000).astype(np.float32),
        np.exp(RANDOM.normal(0, 3, 20_000)),
        RANDOM.integers(-(2**31), 2**31, 20_000),
    ],
    ids=["normal", "float32", "skewed", "int32"],
)
def test_percentiles_of_other_numbers_are_close(values: np.ndarray) -> None:
    counts, other = ValueCounts(), ValueCounts()
    counts.add(np.concatenate([values[:9000], [np.nan, np.inf, -np.inf]]))
    other.add(values[9000:])
    counts.merge(other)
    shares = SHARES[1:-1]
    expected = np.percentile(values, shares)
    width = np.abs(values).max() / 2**11
    np.testing.assert_allclose(counts.percentiles(shares), expected, rtol=1e-3, atol=width / 10)


@pytest.mark.parametrize(
    ("ends", "integers", "shown"),
    [
        ((0, 200), True, (0, 255)),
        ((3, 300), True, (0, 1023)),
        ((0, 4000), True, (0, 4095)),
        ((0, 5000), True, (0, 16383)),
        ((9, 40_000), True, (0, 65535)),
        ((-5, 40), True, (-5, 40)),
        ((0, 0.9), False, (0, 1)),
        ((0, 0.001), False, (0, 0.001)),
        ((0, 254.0), False, (0, 255)),
    ],
)
def test_the_bit_depth_says_what_is_white(
    ends: tuple[float, float], integers: bool, shown: tuple[float, float]
) -> None:
    assert shown_range(*ends, integers) == shown


@pytest.mark.parametrize(("high", "bits"), [(255, 8), (300, 16)])
def test_8_bits_are_kept_only_of_integers_that_fit(high: float, bits: int) -> None:
    assert chosen_scales((0.0, high), {INTEGERS: (1, (0, 9))}, None).bits == bits
    assert chosen_scales((0.0, high), {INTEGERS: (1, (0, 9))}, None, plain=True).bits == 8
    assert chosen_scales((0.5, 9.0), {INTEGERS: (1, (0, 9))}, None).bits == 16
