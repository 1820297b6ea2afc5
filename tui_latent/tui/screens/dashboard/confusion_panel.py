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
from textual.strip import Strip

from tui_latent.palettes import class_color, class_mark
from tui_latent.runs.confusion import confused_pairs
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips
from tui_latent.tui.format import column, number

_TITLES: Final = ("Classes by kNN@20, held out", "Classes")
_NAME: Final = 9
_DIM: Final = Style(dim=True)


class ConfusionPanel(ChartPanel):
    """Shows the recall of each class and the pairs that are confused most often."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "confusion")
        self._confusion: NDArray[np.int64] | None = None
        self._names: Sequence[str] = ()
        self._hint = ""

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
    worst = [i for i in np.argsort(found, kind="stable").tolist() if totals[i]]
    room = min(max((cell_len(name) for name in names), default=1), _NAME)

    def named(index: int) -> list[Segment]:
        name = names[index] if index < len(names) else str(index)
        style = Style(color=Color.from_rgb(*class_color(index, dark))) if colored else Style()
        mark = class_mark(index, len(totals), colored)
        return [Segment(f" {mark} ", style), Segment(column(name, room))]

    lines: list[list[Segment]] = []
    for index in worst[: max(1, height // 2 - 1)]:
        bar = "━" * round(float(found[index]) * max(0, width - room - 11))
        value = f"{number(float(found[index])):>5} "
        lines.append([*named(index), Segment(value), Segment(bar, _DIM)])
    pairs = confused_pairs(confusion, max(0, height - len(lines) - 2))
    title = "most confused" if pairs else "no image is misclassified"
    lines += [[], [Segment(f" {title}", _DIM)]]
    for truth, taken, count in pairs:
        share = f"{count:>6,} {100 * count / int(totals[truth]):>3.0f} %"
        lines.append([*named(truth), Segment(" →", _DIM), *named(taken), Segment(share)])
    return [Strip(line).adjust_cell_length(width) for line in lines[:height]]
