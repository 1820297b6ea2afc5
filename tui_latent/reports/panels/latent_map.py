"""The latent map: the held-out images as points, each class named at its place."""

from __future__ import annotations

from tui_latent.reports.legend import Entry, draw_legend, legend_height
from tui_latent.reports.map_frame import ClassCentre, MapFrame
from tui_latent.reports.numbers import CLUSTER, ReportNumbers
from tui_latent.reports.page import TITLE_HEIGHT, Box, Page
from tui_latent.reports.panels.scatter import draw_scatter
from tui_latent.reports.style import BODY, UNLABELLED_PAINT, class_marker, class_paint
from tui_latent.reports.text import name_to_fit
from tui_latent.runs.schema import LatentMap

_LEFT, _BOTTOM = 0.55, 0.36
_MOST_LISTED = 120
"""largest number of classes for which a legend is useful"""


def map_height(numbers: ReportNumbers, width: float) -> float:
    """Return the inches that the square map and its legend take in a column of `width`."""
    legend = legend_height(_entries(numbers), width - _LEFT)
    return TITLE_HEIGHT + (width - _LEFT) + _BOTTOM + legend


def draw_map(page: Page, box: Box, numbers: ReportNumbers, latent_map: LatentMap | None) -> None:
    """Draw the map as a square with its classes' names, and the legend below."""
    frame = numbers.map
    if latent_map is None or frame is None:
        inner = page.title(box, "Latent map")
        page.message(inner, "the map appears after the first evaluation")
        return
    inner = page.title(box, "Latent map", _note(frame, numbers))
    side = box.width - _LEFT
    square = Box(inner.left + _LEFT, inner.top, side, side)
    draw_scatter(page, square, latent_map, frame)
    if frame.images == frame.not_finite:
        page.message(inner, "no latent is finite: training has diverged")
    below = inner.below(side + _BOTTOM)
    draw_legend(page, Box(below.left + _LEFT, below.top, side, below.height), _entries(numbers))


def _note(frame: MapFrame, numbers: ReportNumbers) -> str:
    dimensions = numbers.about.latent_dim
    shown = "the latents themselves"
    if frame.projection != "native":
        known = {"pca": "principal components"}.get(frame.projection, frame.projection)
        shown = f"{known} of {dimensions or 'more'} dimensions"
    parts = [f"step {frame.step:,}", f"{frame.images:,} held-out images", shown]
    if numbers.colors == CLUSTER:
        parts.append("coloured by k-means cluster")
    if len(frame.classes) > _MOST_LISTED:
        parts.append(f"{len(frame.classes):,} classes, named where there is room")
    if frame.outside:
        parts.append(f"{frame.outside:,} outside the frame")
    if frame.not_finite:
        parts.append(f"{frame.not_finite:,} not finite")
    return " · ".join(parts)


def _entries(numbers: ReportNumbers) -> list[Entry]:
    if numbers.map is None or len(numbers.map.classes) > _MOST_LISTED:
        return []
    entries = [_entry(centre) for centre in numbers.map.classes]
    if not numbers.map.unlabelled:
        return entries
    text = f"no label ({numbers.map.unlabelled:,})"
    style = {"marker": class_marker(0), "color": UNLABELLED_PAINT, "markersize": 7, "mew": 0}
    return [*entries, Entry(text, style)]


def _entry(centre: ClassCentre) -> Entry:
    marker = class_marker(centre.label)
    return Entry(
        name_to_fit(centre.name, 1.8, BODY),
        {"marker": marker, "color": class_paint(centre.label), "markersize": 7, "mew": 0},
    )
