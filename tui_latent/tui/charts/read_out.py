"""What the cursor of a chart reads: step, epoch, time, values, and flags beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.tui.charts.flags import Flag
from tui_latent.tui.charts.raster import smoothed
from tui_latent.tui.charts.series import (
    X_AXES,
    ChartOptions,
    Series,
    record_at,
    reference,
    weighted,
)
from tui_latent.tui.format import clock, number

_GAP: Final = " · "
_BOLD: Final = Style(bold=True)


def read_out(
    series: Sequence[Series], options: ChartOptions, flags: Sequence[Flag], width: int
) -> Strip | None:
    """Return the line of the cursor; what matters least is left out where it does not fit.

    None without a cursor, or if the curve in front has no record there.
    """
    item = reference(series, options)
    if options.cursor is None or item is None or item.curve is None:
        return None
    index = record_at(item, options.cursor, options.axis)
    if index is None:
        return None
    curve = item.curve
    step, time = float(curve.steps[index]), float(curve.times[index])
    # In display order; the parts of least urgency are left out first.
    places = {"step": f"step {step:,.0f}", "time": clock(time)}
    if item.steps_per_epoch:
        places["epoch"] = f"epoch {step / item.steps_per_epoch:.1f}"
    urgency = {"step": 3, "epoch": 2, "time": 1} | {options.axis: 6}
    parts = [(urgency[axis], places[axis]) for axis in X_AXES if axis in places]
    parts.append((5, f"{item.name} {number(float(weighted(item, curve)[index]))}"))
    if options.smoothing:
        smooth = weighted(item, curve, smoothed(curve.means, options.smoothing))
        parts.append((4, f"smoothed {number(float(smooth[index]))}"))
    parts += [(4, flag.words) for flag in flags]
    while len(parts) > 1 and cell_len(_GAP.join(text for _, text in parts)) > width - 1:
        parts.remove(min(reversed(parts), key=lambda part: part[0]))
    line = f" {_GAP.join(text for _, text in parts)}"
    return Strip([Segment(line, _BOLD)]).adjust_cell_length(width)
