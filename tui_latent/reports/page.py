"""A page measured in inches from its top left corner, and the parts that panels share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

from tui_latent.reports.style import AXIS, BODY, DPI, FAINT, INK, TITLE, WIDTH
from tui_latent.reports.text import drawable, fit, text_width, wrap
from tui_latent.reports.wording import ticks

MARGIN: Final = 0.4
"""inches around a page"""
GAP: Final = 0.3
"""inches between panels"""
INDENT: Final = 1.0
"""inches for the names of paragraphs in the footer"""
TITLE_HEIGHT: Final = 0.34
LINE_HEIGHT: Final = 0.2
_RULE: Final = 0.14


def foot_height(lines: int) -> float:
    """Return the height in inches of a footer with this many lines."""
    return _RULE + lines * LINE_HEIGHT


class PlainTicks(Formatter):
    """Labels ticks with plain numbers of equally many decimals."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Label one value."""
        return ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Label all ticks of an axis."""
        return ticks(values)


@dataclass(frozen=True)
class Box:
    """A part of a page, in inches."""

    left: float
    top: float
    width: float
    height: float

    def below(self, height: float) -> Box:
        """Return the box without the top `height` inches."""
        return Box(self.left, self.top + height, self.width, self.height - height)


class Page:
    """A white page of the report's width."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)

    def text(self, x: float, y: float, text: str, size: float = BODY, **style: Any) -> None:
        """Write a line at (x, y), its baseline unless `va` says otherwise."""
        self.figure.text(
            x / WIDTH, 1 - y / self.height, drawable(text), fontsize=size, **{"color": INK, **style}
        )

    def axes(self, box: Box) -> Axes:
        """Add axes that fill a box."""
        bottom = self.height - box.top - box.height
        axes = self.figure.add_axes(
            (
                box.left / WIDTH,
                bottom / self.height,
                box.width / WIDTH,
                box.height / self.height,
            )
        )
        axes.tick_params(labelsize=BODY, length=3)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PlainTicks())
        return axes

    def canvas(self, box: Box) -> Axes:
        """Add axes without lines whose units are the box's inches, from its top left corner."""
        axes = self.axes(box)
        axes.set_axis_off()
        axes.set_xlim(0, box.width)
        axes.set_ylim(box.height, 0)
        return axes

    def title(self, box: Box, title: str, note: str = "") -> Box:
        """Write a panel's title and a fainter note beside it; return the box below."""
        y = box.top + 0.16
        title = fit(title, box.width, TITLE, "bold")
        self.text(box.left, y, title, TITLE, weight="bold")
        start = text_width(title, TITLE, "bold") + 0.15
        if note and box.width - start > 0.5:
            note = fit(note, box.width - start, BODY)
            self.text(box.left + start, y, note, BODY, color=FAINT)
        return box.below(TITLE_HEIGHT)

    def foot(self, box: Box, paragraphs: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Draw a rule and, below it, lines beside the name of their paragraph."""
        axes = self.canvas(Box(box.left, box.top, box.width, _RULE))
        axes.plot([0, box.width], [0, 0], color=AXIS, linewidth=0.8, clip_on=False)
        y = box.top + _RULE + 0.12
        for name, lines in paragraphs:
            self.text(box.left, y, name, color=FAINT)
            for line in lines:
                self.text(box.left + INDENT, y, line)
                y += LINE_HEIGHT

    def message(self, box: Box, message: str) -> None:
        """Write in the middle of a box why nothing is shown."""
        lines = wrap(message.split(), min(box.width * 0.8, 6.0), BODY)
        top = box.top + box.height / 2 - len(lines) * LINE_HEIGHT / 2
        for row, line in enumerate(lines):
            y = top + row * LINE_HEIGHT
            self.text(
                box.left + box.width / 2, y, line, BODY, color=FAINT, ha="center", va="center"
            )
