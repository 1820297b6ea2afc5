"""Images: augmented views beside their originals, and neighbours below their image."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import TITLE_HEIGHT, Box, Page
from tui_latent.reports.panels.images import IMAGE_ROW, draw_image, mark_wrong
from tui_latent.reports.samples import (
    COLUMNS,
    NEIGHBOURS,
    SHEET_ROWS,
    Sample,
    ViewSheet,
)
from tui_latent.reports.style import BODY, FAINT, SMALLEST
from tui_latent.reports.text import name_to_fit, shown_name, text_width

_HEADING = 0.24
SHEETS_HEIGHT = TITLE_HEIGHT + _HEADING + SHEET_ROWS * IMAGE_ROW
_NAME_GAP = 0.08
_MARGIN = 0.72
"""for the names of the rows of neighbours"""


def draw_views(page: Page, box: Box, views: ViewSheet) -> None:
    """Draw the augmentation sheet: the original left, random views of it to the right."""
    inner = page.title(
        box, "Augmentations", "held-out image on the left, training views on the right"
    )
    rows, columns = views.images.shape[:2]
    axes = page.canvas(inner)
    side = min(IMAGE_ROW - 0.06, (inner.width - 0.2) / columns - 0.06)
    for column in range(columns):
        x = column * (side + 0.06) + (0.14 if column else 0)
        for row in range(rows):
            draw_image(axes, views.images[row, column], x, _HEADING + row * IMAGE_ROW, side)
    axes.text(0, 0.14, "original", fontsize=BODY, color=FAINT)
    axes.text(side + 0.2, 0.14, "views", fontsize=BODY, color=FAINT)


def draw_neighbours(page: Page, box: Box, shown: Sequence[Sample], numbers: ReportNumbers) -> None:
    """Draw held-out images, each with its nearest training images below it, wrong ones marked."""
    classes = len(numbers.class_names)
    among = shown[0].neighbours.among if shown else "images"
    note = f"held-out image on top, nearest {among} below"
    note += ", wrong classes framed" * any(sample.label for sample in shown)
    if classes > COLUMNS:
        note = f"{len(shown)} of {classes:,} classes · {note}"
    inner = page.title(box, "Neighbours", note)
    axes = page.canvas(inner)
    pitch = (inner.width - _MARGIN) / COLUMNS
    side = min(pitch - 0.08, IMAGE_ROW - 0.22)
    for row in range(NEIGHBOURS + 1):
        name = "image" if row == 0 else f"no. {row}"
        y = _HEADING + row * IMAGE_ROW + side / 2
        axes.text(0, y, name, fontsize=BODY, color=FAINT, va="center")
    room = pitch - _NAME_GAP
    names = map(shown_name, numbers.class_names)
    roomy = all(text_width(name, BODY, "bold") <= room for name in names)
    size = BODY if roomy else SMALLEST
    for column, sample in enumerate(shown):
        _draw_sample(axes, sample, _MARGIN + column * pitch, side, room, size)


def _draw_sample(
    axes: Axes, sample: Sample, x: float, side: float, room: float, size: float
) -> None:
    middle = x + side / 2
    weight = "bold" if size == BODY else "normal"
    label = sample.label or f"#{sample.neighbours.index}"
    name = name_to_fit(label, room, size, weight)
    axes.text(middle, 0.14, name, fontsize=size, ha="center", weight=weight)
    draw_image(axes, sample.image, x, _HEADING, side)
    found = sample.neighbours
    for row, (label, image) in enumerate(zip(found.labels, found.images, strict=True), start=1):
        y = _HEADING + row * IMAGE_ROW
        draw_image(axes, image, x, y, side)
        if label and sample.label and label != sample.label:
            mark_wrong(axes, x, y, side, label, room, size)
