"""Which classes the space separates and which it confuses; shown in wide terminals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui_latent.palettes import class_color, class_mark
from tui_latent.runs.confusion import confused_pairs
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips
from tui_latent.tui.format import column, number
from tui_latent.tui.keymap import bindings

_TITLES: Final = ("Classes by kNN@20, held out", "Classes")
_NAME: Final = 9
_DIM: Final = Style(dim=True)
_CURSOR: Final = Style(reverse=True)

Row = tuple[int, int | None]
"""a class, or a true class and the one it is taken for"""


class ConfusionPanel(ChartPanel):
    """Shows the recall of each class and the pairs that are confused most often.

    Every row opens its images: with a cursor that the keys move, or with a click.
    """

    BINDINGS = bindings("class rows")

    class Chosen(Message):
        """A row was opened: a class, or the images of one class that are taken for another."""

        def __init__(self, truth: int, called: int | None) -> None:
            super().__init__()
            self.truth = truth
            self.called = called

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "confusion")
        self._confusion: NDArray[np.int64] | None = None
        self._names: Sequence[str] = ()
        self._hint = ""
        self._cursor: Row | None = None

    def show(self, confusion: NDArray[np.int64] | None, names: Sequence[str], hint: str) -> None:
        """Show (classes, classes) counts, rows are the truth; `hint` if there are none."""
        if confusion is not self._confusion or (confusion is None and hint != self._hint):
            self._confusion, self._names, self._hint = confusion, tuple(names), hint
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Write the newest counts."""
        confusion, names, hint = self._confusion, self._names, self._hint
        if confusion is None:
            return lambda: Drawing(message_strips(hint, width, height), _TITLES)
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        return lambda: Drawing(
            class_strips(confusion, names, width, height, colored, dark), _TITLES
        )

    # The cursor

    @property
    def _rows(self) -> list[Row | None]:
        if self._confusion is None:
            return []
        return class_rows(self._confusion, self.content_size.height)

    def _at(self) -> int | None:
        """Return the line of the cursor: the worst confusion until it is moved."""
        rows = self._rows
        if self._cursor is not None and self._cursor in rows:
            return rows.index(self._cursor)
        pairs = [y for y, row in enumerate(rows) if row is not None and row[1] is not None]
        return pairs[0] if pairs else 0 if rows and rows[0] is not None else None

    def action_move(self, across: int, down: int) -> None:
        """Move the cursor to another row."""
        rows, at = self._rows, self._at()
        doors = [y for y, row in enumerate(rows) if row is not None]
        if at is not None:
            self._cursor = rows[doors[min(max(doors.index(at) + down, 0), len(doors) - 1)]]
            self.refresh()

    def action_open(self) -> None:
        """Open the images of the row under the cursor."""
        at = self._at()
        row = None if at is None else self._rows[at]
        if row is not None:
            self.post_message(self.Chosen(*row))

    def on_click(self, event: events.Click) -> None:
        """Open the row that was clicked."""
        place, rows = event.get_content_offset(self), self._rows
        if place is not None and place.y < len(rows) and rows[place.y] is not None:
            self._cursor = rows[place.y]
            self.action_open()

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return strip.apply_style(_CURSOR) if self.has_focus and y == self._at() else strip


def class_rows(confusion: NDArray[np.int64], height: int) -> list[Row | None]:
    """Return what each of `height` lines is about: classes, the worst first, then pairs."""
    totals = confusion.sum(axis=1)
    found = np.diag(confusion) / np.maximum(totals, 1)
    worst = [i for i in np.argsort(found, kind="stable").tolist() if totals[i]]
    rows: list[Row | None] = [(index, None) for index in worst[: max(1, height // 2 - 1)]]
    pairs = confused_pairs(confusion, max(0, height - len(rows) - 2))
    return [*rows, None, None, *((truth, called) for truth, called, _ in pairs)][:height]


def class_strips(
    confusion: NDArray[np.int64],
    names: Sequence[str],
    width: int,
    height: int,
    colored: bool,
    dark: bool = True,
) -> list[Strip]:
    """Write the recall of each class, the worst first, then the pairs confused most often."""
    totals = confusion.sum(axis=1)
    found = np.diag(confusion) / np.maximum(totals, 1)
    room = min(max((cell_len(name) for name in names), default=1), _NAME)
    rows = class_rows(confusion, height)
    any_pair = any(row is not None and row[1] is not None for row in rows)
    title = "most confused" if any_pair or confused_pairs(confusion, 1) else _ALL_RIGHT

    def named(index: int) -> list[Segment]:
        name = names[index] if index < len(names) else str(index)
        style = Style(color=Color.from_rgb(*class_color(index, dark))) if colored else Style()
        mark = class_mark(index, len(totals), colored)
        return [Segment(f" {mark} ", style), Segment(column(name, room))]

    def line(y: int, row: Row | None) -> list[Segment]:
        if row is None:
            return [Segment(f" {title}", _DIM)] if rows[y - 1] is None else []
        truth, called = row
        if called is None:
            bar = "━" * round(float(found[truth]) * max(0, width - room - 11))
            value = f"{number(float(found[truth])):>5} "
            return [*named(truth), Segment(value), Segment(bar, _DIM)]
        count = int(confusion[truth, called])
        share = f"{count:>6,} {100 * count / int(totals[truth]):>3.0f} %"
        return [*named(truth), Segment(" →", _DIM), *named(called), Segment(share)]

    return [Strip(line(y, row)).adjust_cell_length(width) for y, row in enumerate(rows)]


_ALL_RIGHT: Final = "no image is misclassified"
