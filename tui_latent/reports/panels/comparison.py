"""Runs side by side: their names, curves, numbers, settings and maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tui_latent.compared_maps import ComparedMap
from tui_latent.comparison import Comparison, MetricRow, difference_text
from tui_latent.differing_settings import setting_text
from tui_latent.reports.legend import Entry, draw_legend, legend_height
from tui_latent.reports.map_frame import map_frame
from tui_latent.reports.numbers import line_of
from tui_latent.reports.page import GAP, LINE_HEIGHT, TITLE_HEIGHT, Box, Page
from tui_latent.reports.panels.chart import draw_line, make_logarithmic, spans_decades, step_axes
from tui_latent.reports.panels.scatter import draw_scatter
from tui_latent.reports.panels.table import Cell, Column, draw_table, table_height
from tui_latent.reports.run_summary import about_run
from tui_latent.reports.style import BODY, FAINT, class_marker, class_paint
from tui_latent.reports.text import fit, name_to_fit, wrap
from tui_latent.reports.wording import UNKNOWN, duration, number
from tui_latent.runs.metric_specs import MetricSpec
from tui_latent.runs.schema import Curve

Paint = tuple[float, float, float]

_CHART: Final = 2.5
_CHARTS_IN_ROW: Final = 3
_MOST_CHARTS: Final = 9
_MAPS_IN_ROW: Final = 4
_LARGEST_MAP: Final = 6.4
_MAP_LINES: Final = 2
_MAP_HEAD: Final = 0.34 + _MAP_LINES * LINE_HEIGHT
_AXIS: Final = 0.5
_KEY: Final = 2.4
_MOST_LISTED: Final = 40
"""largest number of classes for which a legend is useful"""


def draw_runs(page: Page, box: Box, shown: Comparison, paints: Sequence[Paint]) -> None:
    """List the runs with their colours and facts."""
    axes = page.canvas(box)
    widest = box.width * 0.42
    for row, (run, paint) in enumerate(zip(shown.runs, paints, strict=True)):
        y = row * LINE_HEIGHT * 1.2 + 0.1
        axes.plot([0, 0.3], [y, y], color=paint, linewidth=4, solid_capstyle="butt")
        name = fit(run.name, widest - 0.5, BODY, "bold")
        page.text(box.left + 0.42, box.top + y, name, weight="bold", va="center_baseline")
        about = about_run(run)
        facts = [
            *([about.preset] if about.preset and about.preset not in run.name else []),
            f"{about.method or 'unknown method'}, {about.latent_dim or UNKNOWN}-D",
            about.dataset or "unknown data",
            f"seed {UNKNOWN if about.seed is None else about.seed}",
            f"{about.state}, step {about.step:,}",
            f"trained {duration(about.seconds)}",
            about.device or "device unknown",
        ]
        text = fit(" · ".join(facts), box.width - widest, BODY)
        page.text(box.left + widest, box.top + y, text, color=FAINT, va="center_baseline")


def runs_height(shown: Comparison) -> float:
    """Return the inches that the list of runs takes."""
    return len(shown.runs) * LINE_HEIGHT * 1.2 + 0.1


def charted(shown: Comparison) -> list[MetricSpec]:
    """Return the metrics to draw: those of several runs, else those of any run."""
    shared = [row.spec for row in shown.metrics if sum(value is not None for value in row.last) > 1]
    return (shared or [row.spec for row in shown.metrics])[:_MOST_CHARTS]


def charts_height(shown: Comparison) -> float:
    """Return the inches that the charts take."""
    return max(1, -(-len(charted(shown)) // _CHARTS_IN_ROW)) * (_CHART + 0.1)


def draw_charts(page: Page, box: Box, shown: Comparison, paints: Sequence[Paint]) -> None:
    """Draw a chart per metric, a curve per run."""
    metrics = charted(shown)
    if not metrics:
        page.message(box, "curves appear after the first records")
    width = (box.width - (_CHARTS_IN_ROW - 1) * GAP) / _CHARTS_IN_ROW
    for index, metric in enumerate(metrics):
        row, column = divmod(index, _CHARTS_IN_ROW)
        left = box.left + column * (width + GAP)
        place = Box(left, box.top + row * (_CHART + 0.1), width, _CHART)
        curves = [run.curves.get(metric.name) for run in shown.runs]
        _draw_chart(page, place, metric, curves, paints)


def _draw_chart(
    page: Page,
    box: Box,
    metric: MetricSpec,
    curves: Sequence[Curve | None],
    paints: Sequence[Paint],
) -> None:
    lines = [
        (line_of(metric.name, curve), paint)
        for curve, paint in zip(curves, paints, strict=True)
        if curve is not None and len(curve.steps)
    ]
    logarithmic = spans_decades([line for line, _ in lines])
    inner = page.title(box, metric.title, "logarithmic" if logarithmic else "")
    if not lines:
        page.message(inner, "no recorded value is finite")
        return
    axes = step_axes(page, inner, [line for line, _ in lines])
    for line, paint in lines:
        draw_line(axes, line, {"color": paint}, band=metric.name.startswith("train/"))
    if logarithmic:
        make_logarithmic(axes)


def numbers_height(shown: Comparison) -> float:
    """Return the inches that the table of numbers takes."""
    return TITLE_HEIGHT + table_height(len(shown.metrics) + 1)


def draw_numbers(page: Page, box: Box, shown: Comparison, paints: Sequence[Paint]) -> None:
    """Draw every run's newest and best values, and how far they lie from the first run's."""
    note = "newest value, change from the first run, best value (the best of all in bold)"
    inner = page.title(box, "Numbers", note)
    width = (box.width - _KEY) / len(shown.runs)
    columns = [Column(0, _KEY)]
    titles = [Cell("")]
    heads = [Cell("")]
    for index, (label, paint) in enumerate(zip(shown.labels, paints, strict=True)):
        left = _KEY + index * width
        third = min(width / 3, 0.9)
        columns += [Column(left + part * third, third, right=True) for part in range(3)]
        titles += [Cell(""), Cell(""), Cell("")]
        heads += [Cell("newest"), Cell("" if index == 0 else "change"), Cell("best")]
        _head(page, Box(inner.left + left, inner.top, width, 0.3), label, paint)
    faint = [Cell(cell.text, {"color": FAINT}) for cell in heads]
    rows = [faint, *(_number_cells(row) for row in shown.metrics)]
    draw_table(page, inner, columns, titles, rows)


def _number_cells(row: MetricRow) -> list[Cell]:
    winners = row.winners()
    cells = [Cell(row.spec.title)]
    for index, (last, best) in enumerate(zip(row.last, row.best, strict=True)):
        bold = {"weight": "bold"} if index in winners else {}
        cells += [
            Cell(number(last)),
            Cell(difference_text(row, index).replace("-", "−"), {"color": FAINT}),
            Cell("" if best is None else number(best), bold),
        ]
    return cells


def settings_height(shown: Comparison) -> float:
    """Return the inches that the table of settings takes."""
    return TITLE_HEIGHT + table_height(max(len(shown.settings), 1))


def draw_settings(page: Page, box: Box, shown: Comparison, paints: Sequence[Paint]) -> None:
    """Draw the settings that differ."""
    if not shown.compares_settings:
        return
    count = len(shown.settings)
    note = f"{count} differ{'s' * (count == 1)}" if count else ""
    inner = page.title(box, "Settings", note)
    if not count:
        page.text(inner.left, inner.top + 0.2, "the presets have the same settings", color=FAINT)
        return
    width = (box.width - _KEY) / len(shown.runs)
    columns = [Column(0, _KEY)]
    for index, (label, paint) in enumerate(zip(shown.labels, paints, strict=True)):
        left = _KEY + index * width
        columns.append(Column(left, width))
        _head(page, Box(inner.left + left, inner.top, width, 0.3), label, paint)
    rows = [[Cell(row.key), *map(_setting_cell, row.values)] for row in shown.settings]
    draw_table(page, inner, columns, [Cell("")] * (1 + len(shown.runs)), rows)


def _setting_cell(value: Any) -> Cell:
    return Cell(setting_text(value), {"color": FAINT} if value is None else {})


def _head(page: Page, box: Box, label: str, paint: Paint) -> None:
    """Name a run above its column, with its colour."""
    page.canvas(box).plot([0, 0.2], [0.11, 0.11], color=paint, linewidth=4, solid_capstyle="butt")
    text = fit(label, box.width - 0.4, BODY, "bold")
    page.text(box.left + 0.28, box.top + 0.16, text, weight="bold")


def maps_height(maps: Sequence[ComparedMap], width: float) -> float:
    """Return the inches that the maps take, with the legend of their classes."""
    columns, side = _map_grid(len(maps), width)
    rows = -(-len(maps) // columns)
    legend = legend_height(_class_entries(maps), width)
    return rows * (_MAP_HEAD + side + _AXIS) + (legend + 0.1 if legend else 0.0)


def draw_maps(
    page: Page,
    box: Box,
    maps: Sequence[ComparedMap],
    labels: Sequence[str],
    paints: Sequence[Paint],
) -> None:
    """Draw maps side by side, each in its own frame."""
    columns, side = _map_grid(len(maps), box.width)
    pitch = box.width / columns
    tall = _MAP_HEAD + side + _AXIS
    for index, compared in enumerate(maps):
        row, column = divmod(index, columns)
        place = Box(box.left + column * pitch, box.top + row * tall, pitch - GAP, tall)
        words = _map_words(compared, labels)
        _draw_map(page, place, compared, words, labels[index], paints[index], side)
    below = box.below(-(-len(maps) // columns) * tall + 0.1)
    draw_legend(page, below, _class_entries(maps))


def _map_grid(maps: int, width: float) -> tuple[int, float]:
    columns = min(maps, _MAPS_IN_ROW)
    return columns, min(width / columns - GAP - _AXIS, _LARGEST_MAP)


def _draw_map(
    page: Page,
    box: Box,
    compared: ComparedMap,
    words: str,
    label: str,
    paint: Paint,
    side: float,
) -> None:
    _head(page, Box(box.left, box.top, box.width, 0.3), label, paint)
    for row, line in enumerate(wrap(words.split(), box.width, BODY)[:_MAP_LINES]):
        page.text(box.left, box.top + 0.4 + row * LINE_HEIGHT, line, color=FAINT)
    square = Box(box.left + _AXIS, box.top + _MAP_HEAD, side, side)
    if compared.map is None:
        page.message(square, compared.problem)
        return
    draw_scatter(page, square, compared.map, map_frame(compared.map))


def _map_words(compared: ComparedMap, labels: Sequence[str]) -> str:
    if compared.map is None:
        return "no map"
    parts = [f"step {compared.map.step:,}"]
    if compared.map.projection != "native":
        parts.append(compared.map.projection.upper())
    if compared.problem:
        parts.append(compared.problem)
    if compared.disparity is not None and compared.onto is not None:
        parts.append(f"aligned to {labels[compared.onto]}, disparity {compared.disparity:.3f}")
    return " · ".join(parts)


def _class_entries(maps: Sequence[ComparedMap]) -> list[Entry]:
    """Return the classes of the maps if all maps have the same."""
    names = {compared.map.class_names for compared in maps if compared.map is not None}
    if len(names) != 1 or len(classes := names.pop()) > _MOST_LISTED:
        return []
    return [Entry(name_to_fit(name, 1.8, BODY), _dot(label)) for label, name in enumerate(classes)]


def _dot(label: int) -> dict[str, Any]:
    return {"marker": class_marker(label), "color": class_paint(label), "markersize": 7, "mew": 0}
