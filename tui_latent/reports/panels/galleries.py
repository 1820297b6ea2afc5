"""Rows and columns of images: reconstructions, samples, extremes, anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.class_extremes import ClassExtremes
from tui_latent.analysis.decoding import Reconstructions
from tui_latent.analysis.outlier_ranking import Anomalies
from tui_latent.analysis.sampling import ClassSamples
from tui_latent.reports.inputs import DRAWN, EXTREMES, RECONSTRUCTED, SAMPLES
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import TITLE_HEIGHT, Box, Page
from tui_latent.reports.panels.images import IMAGE_ROW, draw_image, mark_wrong
from tui_latent.reports.samples import COLUMNS
from tui_latent.reports.style import BODY, FAINT
from tui_latent.reports.text import fit, name_to_fit

_HEAD: Final = 0.26
_FOOT: Final = 0.24
_FOOT_BASE: Final = 0.12
"""from the end of the last row to the base of the first line below it"""
_SMALL_ROW: Final = 0.98
_NAMES: Final = 1.1
"""inches for what the rows are"""
_CAPTION: Final = 0.2

RECONSTRUCTIONS_HEIGHT: Final = TITLE_HEIGHT + 2 * _SMALL_ROW + _FOOT
SAMPLES_HEIGHT: Final = TITLE_HEIGHT + _HEAD + SAMPLES * IMAGE_ROW + 2 * _FOOT
EXTREMES_HEIGHT: Final = TITLE_HEIGHT + _HEAD + 2 * EXTREMES * IMAGE_ROW + 0.1
ANOMALIES_HEIGHT: Final = TITLE_HEIGHT + _HEAD + IMAGE_ROW + _FOOT


@dataclass(frozen=True, eq=False)
class ImageColumn:
    """Images one below the other."""

    head: str
    images: Sequence[NDArray[np.uint8] | None]
    """None leaves a place free"""
    captions: Sequence[str] = ()
    """below the images, in red with a red frame; empty for an image without"""
    feet: Sequence[str] = field(default=())
    """lines below the last image"""


def draw_columns(
    page: Page,
    box: Box,
    columns: Sequence[ImageColumn],
    row_names: Sequence[str],
    count: int,
    row: float = IMAGE_ROW,
    head: float = _HEAD,
) -> None:
    """Draw columns of images under their names; `count` columns would fill the width."""
    axes = page.canvas(box)
    pitch = (box.width - _NAMES) / count
    captioned = any(caption for column in columns for caption in column.captions)
    side = min(pitch - 0.08, row - 0.06 - _CAPTION * captioned)
    for index, name in enumerate(row_names):
        y = head + index * row + side / 2
        axes.text(0, y, name, fontsize=BODY, color=FAINT, va="center")
    for index, column in enumerate(columns):
        left = _NAMES + index * pitch
        middle, room = left + side / 2, pitch - 0.06
        if column.head:
            text = name_to_fit(column.head, room, BODY, "bold")
            axes.text(middle, 0.14, text, fontsize=BODY, weight="bold", ha="center")
        for place, image in enumerate(column.images):
            if image is None:
                continue
            top = head + place * row
            draw_image(axes, image, left, top, side)
            caption = column.captions[place] if column.captions else ""
            if caption:
                mark_wrong(axes, left, top, side, caption, room)
        for line, foot in enumerate(column.feet):
            y = head + len(row_names) * row + _FOOT_BASE + line * 0.2
            axes.text(middle, y, fit(foot, room, BODY), fontsize=BODY, color=FAINT, ha="center")


def draw_reconstructions(
    page: Page, box: Box, title: str, found: Reconstructions, numbers: ReportNumbers
) -> None:
    """Draw held-out images above what their latents decode to."""
    note = "held-out images above their reconstructions; mean squared error below"
    inner = page.title(box, title, note)
    columns = [
        ImageColumn("", pair, feet=(f"{error:.3f}",))
        for *pair, error in zip(found.originals, found.images, found.errors.tolist(), strict=True)
    ]
    names = ("original", "decoded")
    draw_columns(page, inner, columns, names, RECONSTRUCTED, _SMALL_ROW, 0.0)


def draw_samples(
    page: Page, box: Box, title: str, found: Sequence[ClassSamples], numbers: ReportNumbers
) -> None:
    """Draw decoded samples of each class's Gaussian, those the LDA calls something else framed."""
    agreeing = sum(samples.agreeing for samples in found)
    note = (
        "decoded samples of a Gaussian fitted to each class's training latents; an LDA assigns "
        f"{agreeing:,} of {DRAWN * len(found):,} samples to their class"
    )
    inner = page.title(box, title, note)
    columns = []
    for samples in found:
        names = samples.class_names
        called = samples.called[:SAMPLES].tolist()
        columns.append(
            ImageColumn(
                names[samples.label],
                list(samples.images[:SAMPLES]),
                [names[label] if label != samples.label else "" for label in called],
                (f"{samples.agreeing} of {len(samples.called)}", _seen_again(samples)),
            )
        )
    rows = [f"sample {index + 1}" for index in range(SAMPLES)]
    draw_columns(page, inner, columns, rows, max(len(found), COLUMNS))
    foot = inner.top + _HEAD + SAMPLES * IMAGE_ROW + _FOOT_BASE
    page.text(inner.left, foot, "latents agree", color=FAINT)
    page.text(inner.left, foot + 0.2, "images agree", color=FAINT)


def _seen_again(samples: ClassSamples) -> str:
    if samples.recognised is None:
        return "unknown"
    agreeing = int((samples.recognised == samples.label).sum())
    return f"{agreeing} of {len(samples.recognised)}"


def draw_extremes(
    page: Page, box: Box, title: str, found: Sequence[ClassExtremes], numbers: ReportNumbers
) -> None:
    """Draw the training images of each class nearest to its mean, and those farthest from it."""
    inner = page.title(box, title, "by distance from the mean latent of the class")
    columns = [
        ImageColumn(
            extremes.class_names[extremes.label],
            [*_padded(extremes.nearest.images), *extremes.farthest.images],
        )
        for extremes in found
    ]
    numbered = range(1, EXTREMES + 1)
    rows = [f"{what} {number}" for what in ("nearest", "distant") for number in numbered]
    draw_columns(page, inner, columns, rows, max(len(found), COLUMNS))


def _padded(images: NDArray[np.uint8]) -> list[NDArray[np.uint8] | None]:
    """Return the nearest images, with nothing in place of those that a small class lacks."""
    return [*images, *[None] * (EXTREMES - len(images))]


def draw_anomalies(
    page: Page, box: Box, title: str, found: Anomalies, numbers: ReportNumbers
) -> None:
    """Draw the held-out images that lie farthest from the training latents."""
    note = (
        f"mean distance to the {found.k} nearest {found.among}; "
        f"the median of {found.size:,} held-out images is {found.median:.3g}"
    )
    inner = page.title(box, title, note)
    columns = [
        ImageColumn(label or f"image {index:,}", [image], feet=(f"{score:.3g}",))
        for index, label, image, score in zip(
            found.indices.tolist(), found.labels, found.images, found.scores.tolist(), strict=True
        )
    ]
    draw_columns(page, inner, columns, ("image",), max(len(columns), COLUMNS))
