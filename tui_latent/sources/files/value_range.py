"""The range of values that is shown from black to white, one for all images of a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.image_values import BYTES, FLOATS, INTEGERS, Values

Range = tuple[float, float]
"""the values shown as black and as white"""
RangeSetting = str | Range
"""`data.range`: "dtype", "percentile LOW HIGH", or the two values"""

_TOPS = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 16, 24, 31, 32))
"""maximum values of the bit depths that cameras and programs write"""
_KINDS: Final = {BYTES: "8-bit integers", INTEGERS: "wider integers", FLOATS: "floats"}
_LEAST, _MOST = -(2**15), 2**16 - 1
"""integers that are counted one by one: those of 16 bits, signed or not"""
_DROPPED = 12
"""last bits of a float32 that its bin ignores: a bin is one part in 2,048 wide, or narrower"""
_CHUNK = 2**20
_IMAGES = 256


def shown_range(low: float, high: float, integers: bool) -> Range:
    """Return the values to show as black and as white for pixel values from `low` to `high`.

    These are 0 and the maximum of the smallest bit depth that fits, or 0 and 1 for floats in
    0..1. For negative values, and floats that fit none of these, they are `low` and `high`.
    """
    if low < 0:
        return low, high
    if not integers and high <= 1:
        return 0.0, 1.0 if high > 1 / 16 else high
    if not integers and high < 16:
        return 0.0, high
    return 0.0, next((top for top in _TOPS if high <= top), high)


def percentiles_of(setting: RangeSetting) -> Range | None:
    """Return the two percentiles that a setting names; None if it names none."""
    if not isinstance(setting, str) or setting == "dtype":
        return None
    _, low, high = setting.split()
    return float(low), float(high)


@dataclass(eq=False)
class ValueCounts:
    """How often each value occurs in some images, in memory that does not grow with them.

    Integers of 16 bits are counted one by one, others in bins of float32.
    """

    whole: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_MOST - _LEAST + 1, np.int64))
    binned: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(2 ** (32 - _DROPPED), np.int64)
    )

    def add_array(self, images: NDArray[Any]) -> None:
        """Count the values of an array of images, which may be a mapped file."""
        for first in range(0, len(images), _IMAGES):
            self.add(images[first : first + _IMAGES])

    def add(self, values: NDArray[Any]) -> None:
        """Count the finite ones of some values of any shape."""
        flat = values.reshape(-1)
        for first in range(0, len(flat), _CHUNK):
            self._add(flat[first : first + _CHUNK])

    def _add(self, part: NDArray[Any]) -> None:
        if part.dtype.kind in "iu" and int(part.min()) >= _LEAST and int(part.max()) <= _MOST:
            _count(self.whole, part.astype(np.int64) - _LEAST)
            return
        floats = part.astype(np.float64)
        floats = floats[np.isfinite(floats)]
        limit = float(np.finfo(np.float32).max)
        bits = floats.clip(-limit, limit).astype(np.float32).view(np.uint32)
        # The bits of floats sort like their values if negative ones are inverted.
        ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
        _count(self.binned, (ordered >> _DROPPED).astype(np.int64))

    def merge(self, other: ValueCounts) -> None:
        """Add the counts of other images."""
        self.whole += other.whole
        self.binned += other.binned

    @property
    def empty(self) -> bool:
        """Whether no value was counted."""
        return not (self.whole.any() or self.binned.any())

    def percentiles(self, shares: Iterable[float]) -> list[float]:
        """Return percentiles, between the nearest two values, as numpy's default does.

        Within a bin, values are taken to lie evenly.
        """
        places = np.flatnonzero(self.whole)
        starts = [(places + _LEAST).astype(np.float64)]
        ends, counts = [starts[0]], [self.whole[places]]
        if (bins := np.flatnonzero(self.binned)).size:
            edges = _edge(np.stack([bins, bins + 1]))
            starts.append(edges[0])
            ends.append(edges[1])
            counts.append(self.binned[bins])
        low, high, count = (np.concatenate(parts) for parts in (starts, ends, counts))
        order = low.argsort(kind="stable")
        low, high, count = low[order], high[order], count[order]
        upto = count.cumsum()

        def value(rank: int) -> float:
            bin_ = int(np.searchsorted(upto, rank, side="right"))
            within = rank - (upto[bin_] - count[bin_])
            share = (within + 0.5) / count[bin_]
            return float(low[bin_] + share * (high[bin_] - low[bin_]))

        found = []
        for share in shares:
            rank = share / 100 * (int(upto[-1]) - 1)
            below, above = value(int(rank)), value(min(int(rank) + 1, int(upto[-1]) - 1))
            found.append(below + (rank - int(rank)) * (above - below))
        return found


def _count(counts: NDArray[np.int64], places: NDArray[np.int64]) -> None:
    if places.size:
        first = int(places.min())
        found = np.bincount(places - first)
        counts[first : first + len(found)] += found


def _edge(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the float at which each bin begins."""
    ordered = (bins << _DROPPED).clip(0, 2**32 - 1).astype(np.uint32)
    bits = np.where(ordered >> 31, ordered & np.uint32(2**31 - 1), ~ordered)
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


@dataclass(frozen=True)
class Scales:
    """How values become pixels: the range of each kind, and the bits that are kept."""

    ranges: tuple[Range, Range, Range]
    """of BYTES, INTEGERS and FLOATS"""
    bits: int
    """8 if integers lose nothing by it, else 16"""

    def of(self, kinds: Iterable[int]) -> Range | None:
        """Return the range of the images, of the widest kind if they differ; None if 0 to 255."""
        found = self.ranges[max(kinds)]
        return None if found == (0, 255) else found

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    def scaled(self, image: Values) -> NDArray[np.float64]:
        """Return the values of an image, or of several of one kind, in 0..1.

        Infinite values become the nearer end, and NaN becomes 0, as do values below the range.
        """
        low, high = self.ranges[image.kind]
        values = image.array.astype(np.float64)
        if image.kind == FLOATS:
            values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
        scaled: NDArray[np.float64] = ((values - low) / ((high - low) or 1)).clip(0, 1)
        return scaled


def chosen_scales(
    setting: RangeSetting,
    found: dict[int, tuple[int, Range]],
    counts: ValueCounts | None,
    plain: bool = False,
) -> Scales:
    """Return the scales of a dataset.

    `found` has, for each kind of values that occurs, the number of images and the lowest and the
    highest value of all of them; `counts` is needed for percentiles. `plain` keeps 8 bits, as
    version 0.1 did. DataError if one range was set for several kinds, or if it is empty.
    """
    ranges: list[Range] = [(0.0, 255.0), (0.0, 65535.0), (0.0, 1.0)]
    if setting == "dtype":
        for kind in (INTEGERS, FLOATS):
            if kind in found:
                ranges[kind] = shown_range(*found[kind][1], kind == INTEGERS)
    else:
        if len(found) > 1:
            kinds = " and ".join(
                f"{counted(n, 'image')} of {_KINDS[k]}" for k, (n, _) in found.items()
            )
            raise DataError(
                f"data.range: one range for {kinds} would make some images black or white: set "
                "data.range=dtype, which scales each kind by its own, or use images of one kind"
            )
        ranges = [_one_range(setting, next(iter(found.values()))[1], counts)] * 3
    whole = all(
        kind != FLOATS and (ranges[kind][1] - ranges[kind][0]) <= 255
        and all(end == int(end) for end in ranges[kind])
        for kind in found
    )  # fmt: skip
    return Scales((ranges[0], ranges[1], ranges[2]), 8 if whole or plain else 16)


def _one_range(setting: RangeSetting, of: Range, counts: ValueCounts | None) -> Range:
    shares = percentiles_of(setting)
    if shares is None:
        assert not isinstance(setting, str)
        return float(setting[0]), float(setting[1])
    assert counts is not None
    if counts.empty:
        raise DataError(
            "data.range: there are no percentiles, because no value is a finite number: replace "
            "these values"
        )
    # Bins round the ends, which are known exactly.
    low, high = (min(max(end, of[0]), of[1]) for end in counts.percentiles(shares))
    low, high = (of[0] if shares[0] == 0 else low), (of[1] if shares[1] == 100 else high)
    if low == high:
        raise DataError(
            f"data.range: both percentiles are {low:.6g}, because most values are the same: choose "
            "others, such as 'percentile 0 100', or set data.range=dtype"
        )
    return low, high


def words_of(kind: int, ends: Range, setting: RangeSetting) -> str:
    """Describe what images of a kind are and how their values are shown."""
    wide = "of integers" if ends[0] < 0 else "of more than 8 bits"  # int8 has 8 bits, but a sign
    of = {BYTES: "of 8 bits", INTEGERS: wide}.get(kind, "of floats")
    why = f" ({setting})" if percentiles_of(setting) else ""
    return f"{of}: {ends[0]:,.6g} is shown as black, {ends[1]:,.6g} as white{why}"
