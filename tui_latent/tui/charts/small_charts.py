"""One small chart for each term of a sum, below the chart of all: each with an axis of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from textual.strip import Strip

from tui_latent.palettes import RGB
from tui_latent.tui.charts.flags import Flag
from tui_latent.tui.charts.legend import legend_strips
from tui_latent.tui.charts.line_chart import ChartImage, chart_image, value_entries
from tui_latent.tui.charts.series import ChartOptions, Series, never_counts

_LEAST_WIDTH: Final = 26
_LEAST_HEIGHT: Final = 8
_LARGE: Final = 12
"""lines that the chart of all keeps"""


def image_with_parts(
    series: Sequence[Series],
    options: ChartOptions,
    width: int,
    height: int,
    letters: bool = False,
    flags: Sequence[Flag] = (),
    ground: RGB | None = None,
) -> ChartImage:
    """Draw the chart of all curves, and a small one of each but the first where there is room."""
    terms = [
        (index, item)
        for index, item in enumerate(series)
        if index and item.curve is not None and not never_counts(item)
    ]
    across = min(len(terms), max(width // _LEAST_WIDTH, 1))
    down = -(-len(terms) // across) if across else 0
    small = min((height - _LARGE) // down, height // (down + 1)) if down > 0 else 0
    if not options.parts or len(terms) < 2 or small < _LEAST_HEIGHT or width < 2 * _LEAST_WIDTH:
        return chart_image(series, options, width, height, letters, flags, ground)
    large = chart_image(series, options, width, height - down * small, letters, flags, ground)
    strips = list(large.strips)
    strips += [Strip.blank(width)] * (height - down * small - len(strips))
    names = value_entries(series, options, letters)
    for first in range(0, len(terms), across):
        row = []
        for place, (index, item) in enumerate(terms[first : first + across]):
            cells = width * (place + 1) // across - width * place // across
            alone = [
                each if each is item else replace(each, curve=None, dotted=None) for each in series
            ]
            head = legend_strips([names[index]], cells - 1, 1)
            shown = replace(options, front=item.name)
            image = chart_image(alone, shown, cells - 1, small, letters, flags, ground, head)
            lines = [strip.adjust_cell_length(cells) for strip in image.strips]
            row.append(lines + [Strip.blank(cells)] * (small - len(lines)))
        strips += [Strip.join(lines).adjust_cell_length(width) for lines in zip(*row, strict=True)]
    return ChartImage(strips, large.plot)
