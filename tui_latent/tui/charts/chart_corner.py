"""How a chart's curves are shown, in the corner of its panel."""

from __future__ import annotations

from typing import Final

from tui_latent.tui.charts.series import ChartOptions

_AXES: Final = {"step": "", "epoch": "epochs", "time": "time"}


def corner_words(words: str, options: ChartOptions, log: bool, room: int) -> str:
    """Say how the curves are shown in at most `room` cells; the last words are left out first."""
    parts = [words] if words else []
    parts += [f"step {options.at:,}"] if options.at is not None else []
    parts += ["zoomed"] if options.span is not None else []
    parts += [f"smooth {options.smoothing:g}".replace("0.", ".")] if options.smoothing else []
    parts += [_AXES[options.axis]] if options.axis != "step" else []
    parts += ["log"] if log else []
    while parts and len(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)
