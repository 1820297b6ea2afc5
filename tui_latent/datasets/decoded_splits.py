"""Encoded images of one or two splits as pixels: one range, one number of channels, one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.content_digests import Contents
from tui_latent.datasets.decoded_cache import Decoded, decoded
from tui_latent.datasets.encoded_image import why_unreadable
from tui_latent.datasets.folder_layout import DEFAULT_SIZE
from tui_latent.datasets.image_file import FRAMES, NOT_FINITE, NOT_SQUARE, TRANSPARENT
from tui_latent.datasets.image_item import ImageItem
from tui_latent.datasets.item_decoding import CORRUPT, WHOLE, Decoding, Facts
from tui_latent.nouns import counted
from tui_latent.runtime.regular_files import SizeError, leads_nowhere
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.columns import Column
from tui_latent.sources.files.image_values import BYTES
from tui_latent.sources.files.value_range import (
    Range,
    Scales,
    ValueCounts,
    chosen_scales,
    percentiles_of,
    words_of,
)

_NAMED = 5
"""maximum number of corrupt files named in a message"""
_SIZES = 3
"""maximum number of sizes named in the log"""
_TO_SQUARE = {
    "crop": "cropped to the centre square",
    "stretch": "stretched to a square",
    "pad": "padded with black to a square",
}


class EncodedSplit(NamedTuple):
    """The encoded images of a split."""

    where: str
    """a folder, or an archive, for messages"""
    items: Sequence[ImageItem]
    names: Sequence[str]
    """of the items within `where`, for messages"""
    contents: Contents
    labels: NDArray[np.int64]
    """(N,) positions in the class names"""
    columns: tuple[Column, ...] = ()
    """what else the source says about each image, N values each"""


@dataclass(frozen=True, eq=False)
class DecodedSplit:
    """The pixels of a split."""

    images: NDArray[Any]
    """uint8 or uint16 (N, C, S, S), memory-mapped"""
    rows: NDArray[np.int64]
    """of images that are not corrupt"""


def decoded_splits(
    splits: Sequence[EncodedSplit],
    settings: DataSettings,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> tuple[list[DecodedSplit], list[str], Range | None]:
    """Return the pixels of splits, what was done to the images in words, and their range.

    The range is that of the values which became black and white; None if it is 0 to 255.

    All have one number of channels and one type; a value has the same grey in all of them. Where
    grey and colour are mixed, grey is repeated in three channels. DataError names corrupt images
    (unless `settings.skip_corrupt`), or images with other numbers of channels.
    """
    plain = settings.depth == "8-bit"
    how = Decoding(
        settings.size or DEFAULT_SIZE,
        settings.fit,
        plain,
        counted=settings.range != "dtype",
    )
    reads = [decoded(s.where, s.items, s.contents, how, log, poll) for s in splits]
    rows = [
        _whole_rows(split, read, settings.skip_corrupt, log)
        for split, read in zip(splits, reads, strict=True)
    ]
    facts = [read.facts[some] for read, some in zip(reads, rows, strict=True)]
    channels = _channels(splits, rows, facts)
    notes: list[str] = []
    ends: Range | None = None
    if any(read.images is None for read in reads):
        scales, notes = _scales(settings, reads, facts, channels)
        ends = scales.of(np.concatenate(facts)["kind"].tolist())
        how = replace(how, counted=False, scales=scales, channels=channels)
        names = next((read.names for read in reads if read.names), ())
        reads = [decoded(s.where, s.items, s.contents, how, log, poll) for s in splits]
        if len(names) == channels:
            notes.append(f"channels: {', '.join(map(printable, names))}")
    notes += _done(np.concatenate(facts), splits, rows, facts, settings)
    found = [_with_channels(read, channels) for read in reads]
    return [DecodedSplit(*pair) for pair in zip(found, rows, strict=True)], notes, ends


def _with_channels(read: Decoded, channels: int) -> NDArray[Any]:
    assert read.images is not None
    if read.images.shape[1] < channels:  # grey beside a split with colours
        return np.repeat(read.images, channels, axis=1)
    return read.images[:, :channels]


def _whole_rows(
    split: EncodedSplit, read: Decoded, skip_corrupt: bool, log: Callable[[str], None]
) -> NDArray[np.int64]:
    """Return the rows of intact images; DataError names corrupt ones unless they are skipped."""
    corrupt = np.flatnonzero(read.facts["state"] == CORRUPT)
    if len(corrupt) == 0:
        return np.arange(len(split.items))
    names = ", ".join(_described(split, row) for row in corrupt[:_NAMED].tolist())
    more = ", …" if len(corrupt) > _NAMED else ""
    problem = (
        f"{split.where}: {len(corrupt):,} of {len(split.items):,} images cannot be read: "
        f"{names}{more}"
    )
    if not skip_corrupt:
        raise DataError(f"{problem}. Repair, remove or skip them: data.skip_corrupt=true")
    log(f"{problem}: skipped")
    return np.flatnonzero(read.facts["state"] == WHOLE)


def _described(split: EncodedSplit, row: int) -> str:
    """Return the name of a corrupt image, with the reason if there is a known one."""
    try:
        why = why_unreadable(split.items[row].read())
    except OSError as error:
        why = "a link to a file that is not there" if leads_nowhere(error) else ""
    except DataError:
        why = ""
    except SizeError as error:
        why = str(error)
    return printable(split.names[row]) + (f" ({why})" if why else "")


def _channels(
    splits: Sequence[EncodedSplit], rows: Sequence[NDArray[np.int64]], facts: Sequence[Facts]
) -> int:
    """Return the number of channels of all images; DataError if they differ."""
    found: dict[int, tuple[int, str]] = {}
    for split, some, own in zip(splits, rows, facts, strict=True):
        counts = own["channels"]
        for channels in np.unique(counts).tolist():
            same = np.flatnonzero(counts == channels)
            number, example = found.get(channels, (0, ""))
            example = example or f"{split.where}/{printable(split.names[some[same[0]]])}"
            found[channels] = number + len(same), example
    if set(found) <= {1, 3}:
        return 1 if set(found) == {1} else 3
    if len(found) == 1:
        return next(iter(found))
    most_first = sorted(found.items(), key=lambda entry: -entry[1][0])
    listed = "; ".join(
        f"{count:,} with {channels}, such as {example}" for channels, (count, example) in most_first
    )
    raise DataError(
        f"the images differ in their number of channels: {listed}: convert them to the same "
        "number, or move the others elsewhere"
    )


def _scales(
    settings: DataSettings, reads: Sequence[Decoded], facts: Sequence[Facts], channels: int
) -> tuple[Scales, list[str]]:
    """Return how the values of all splits become pixels, and say so."""
    together = np.concatenate(facts)
    found: dict[int, tuple[int, Range]] = {}
    for kind in np.unique(together["kind"]).tolist():
        of_kind = together[together["kind"] == kind]
        found[kind] = len(of_kind), (float(of_kind["low"].min()), float(of_kind["high"].max()))
    counts = None
    if percentiles_of(settings.range) is not None:
        counts = ValueCounts()
        for read in reads:
            assert read.counts is not None
            counts.merge(read.counts)
    scales = chosen_scales(settings.range, found, counts, settings.depth == "8-bit")
    of = "grey images" if channels == 1 else f"images with {channels} channels"
    notes = []
    for kind, (count, _) in found.items():
        if kind != BYTES or settings.range != "dtype":
            notes.append(f"{count:,} {of} {words_of(kind, scales.ranges[kind], settings.range)}")
    return scales, notes


def _done(
    together: Facts,
    splits: Sequence[EncodedSplit],
    rows: Sequence[NDArray[np.int64]],
    facts: Sequence[Facts],
    settings: DataSettings,
) -> list[str]:
    """Say what was done to the images."""
    ground = "with transparency, on a white background (black if the visible part is white)"
    words = (
        (TRANSPARENT, ground),
        (NOT_SQUARE, f"not square, {_TO_SQUARE[settings.fit]}"),
        (FRAMES, "with several frames, of which only the first is used"),
        (
            NOT_FINITE,
            "with values that are not finite (NaN or infinite), shown as the lowest or the highest",
        ),
    )
    notes = [
        f"{n:,} {text}" for bit, text in words if (n := np.count_nonzero(together["notes"] & bit))
    ]
    sizes: Counter[tuple[int, int]] = Counter()
    example: dict[tuple[int, int], str] = {}
    for split, some, own in zip(splits, rows, facts, strict=True):
        pairs, first, counts = np.unique(
            np.stack([own["width"], own["height"]], 1), axis=0, return_index=True,
            return_counts=True,
        )  # fmt: skip
        for (width, height), at, count in zip(pairs.tolist(), first, counts.tolist(), strict=True):
            sizes[width, height] += count
            example.setdefault((width, height), printable(split.names[some[at]]))
    if len(sizes) > 1:
        named = ", ".join(
            f"{count:,} of {width}x{height} (such as {example[width, height]})"
            for (width, height), count in sizes.most_common(_SIZES)
        )
        more = len(sizes) - _SIZES
        rest = f", and {counted(more, 'more size')}" if more > 0 else ""
        notes.append(f"sizes differ: {named}{rest}")
    return notes
