"""The confusion matrix of the kNN vote, in percent of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from tui_latent.analysis.evaluation_table import confusion_reason
from tui_latent.reports.confusion import Confusion, knn_confusion
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.style import BODY, FAINT, INK, SMALLEST
from tui_latent.reports.text import fit, name_to_fit, shown_name, text_width

_SIDE_LIST, _WIDEST_LIST = 1.75, 2.1
_NAME = 1.15
_MOST_NAMED = 20
"""largest number of classes for which an axis has room for every name"""
_LEAST_CELL, _ROOMY_CELL = 0.25, 0.33
"""inches; in smaller ones there is no room for a number, or for one of the usual size"""
_BLUES = LinearSegmentedColormap.from_list("paper", ["#ffffff", "#c6dbef", "#6baed6", "#08519c"])


def draw_confusion(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the matrix of the held-out images, and beside it the pairs that are confused most."""
    inner = page.title(box, "kNN@20 confusion matrix", "% of the true class (rows), held out")
    if numbers.confusion is None:
        why = numbers.missing.get("val/knn_20", "the matrix appears after the first evaluation")
        page.message(inner, why)
        return
    _draw_matrix(page, inner, numbers.confusion, numbers.class_names)


def draw_train_confusion(
    page: Page, box: Box, title: str, found: Mapping[str, Any], numbers: ReportNumbers
) -> None:
    """Draw the leave-one-out matrix of the training images."""
    inner = page.title(box, title, "% of the true class (rows)")
    if reason := confusion_reason(found, "knn_train"):
        page.message(inner, reason)
        return
    names = tuple(found["class_names"])
    counts = np.array(found["knn_train"]["confusion"], dtype=np.int64)
    _draw_matrix(page, inner, knn_confusion(counts, names), names)


def _draw_matrix(page: Page, inner: Box, confusion: Confusion, classes: Sequence[str]) -> None:
    names = [name_to_fit(name, _NAME, BODY) for name in classes]
    ticks = _ticks(len(names))
    widest = max(text_width(names[i], BODY) for i in ticks)
    beside = widest + 0.2
    room = inner.width - beside - _SIDE_LIST
    upright = widest > _cell(room, len(names), ticks) * 0.9
    below = (widest if upright else 0.16) + 0.2
    side = min(inner.height - below - 0.05, room)
    axes = page.axes(Box(inner.left + beside, inner.top + 0.05, side, side))
    _draw_cells(axes, confusion, side)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [names[i] for i in ticks])
    axes.tick_params(axis="x", rotation=90 if upright else 0)
    pairs_left = inner.left + beside + side + 0.25
    width = min(inner.left + inner.width - pairs_left, _WIDEST_LIST)
    _draw_pairs(page, Box(pairs_left, inner.top, width, side), confusion)


def _ticks(classes: int) -> list[int]:
    """Return the classes to name: all, or evenly spread ones if there is not enough room."""
    every = -(-classes // _MOST_NAMED)
    return list(range(0, classes, every))


def _cell(side: float, classes: int, ticks: list[int]) -> float:
    return side / classes * (ticks[1] - ticks[0] if len(ticks) > 1 else classes)


def _draw_cells(axes: Axes, confusion: Confusion, side: float) -> None:
    percent = confusion.percent
    classes = len(percent)
    axes.imshow(np.nan_to_num(percent), cmap=_BLUES, vmin=0, vmax=100, aspect="auto")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)
    if side / classes < _LEAST_CELL:
        return
    size = BODY if side / classes >= _ROOMY_CELL else SMALLEST
    for row, column in zip(*np.nonzero(np.nan_to_num(percent) >= 0.5), strict=True):
        value = percent[row, column]
        color = "white" if value > 55 else INK
        axes.text(
            column,
            row,
            f"{value:.0f}",
            fontsize=size,
            color=color,
            ha="center",
            va="center",
        )


def _draw_pairs(page: Page, box: Box, confusion: Confusion) -> None:
    y = box.top + 0.2
    if box.width < 1.0:
        return
    heading = "most confused" if confusion.most_confused else "no image is confused"
    page.text(box.left, y, fit(heading, box.width, BODY), color=FAINT)
    for pair in confusion.most_confused:
        y += LINE_HEIGHT * 1.25
        share = f"{pair.images:,}  ({pair.percent:.1f} %)"
        room = box.width - text_width(share, BODY) - text_width(" → ", BODY) - 0.12
        page.text(box.left, y, " → ".join(_both_to_fit(pair.truth, pair.taken_for, room)))
        page.text(box.left + box.width, y, share, ha="right")


def _both_to_fit(first: str, second: str, room: float) -> tuple[str, str]:
    """Return two names that fit side by side; a long one gets what a short one leaves."""
    whole = text_width(shown_name(first), BODY), text_width(shown_name(second), BODY)
    return (
        name_to_fit(first, max(room / 2, room - whole[1]), BODY),
        name_to_fit(second, max(room / 2, room - whole[0]), BODY),
    )
