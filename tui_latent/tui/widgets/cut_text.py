"""Text of several lines in limited room: whoever reads it sees where it was cut."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Static

_CUT = "…"


class CutText(Static):
    """Ends in `…` if the lines that the text needs are more than the widget has."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        width, height = self.content_size
        if y != height - 1 or self.visual.get_height(self.styles.get_rules(), width) <= height:
            return strip
        used = min(cell_len(strip.text.rstrip()), width - 1)
        kept = strip.crop(0, used)
        style = next((part.style for part in reversed(list(kept)) if part.text.strip()), None)
        return Strip([*kept, Segment(_CUT, style)]).adjust_cell_length(width, self.rich_style)
