"""A slider per latent dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_latent.tui.format import column, number
from tui_latent.tui.keymap import bindings
from tui_latent.tui.screens.images.sheet import SliderSpace

_BEYOND: Final = 0.25
"""how far a slider extends beyond the range of the training images, as a share of it"""
_STEPS: Final = 40
"""small steps from one end of the range to the other"""
_NAME: Final = 6
"""cells of a dimension's name"""
_NUMBER: Final = 7
"""cells of a value"""


@dataclass(frozen=True, eq=False)
class Scale:
    """The range of every slider: (D,) arrays."""

    low: NDArray[np.float64]
    """lower end of the training images' range"""
    high: NDArray[np.float64]

    @classmethod
    def of(cls, space: SliderSpace) -> Scale:
        """Return the scale of a space; a constant dimension gets some room to move."""
        middle = (space.low + space.high) / 2
        half = (space.high - space.low) / 2
        half = np.where(half > 1e-9 * np.maximum(np.abs(middle), 1), half, 1.0)
        return cls(middle - half, middle + half)

    @property
    def step(self) -> NDArray[np.float64]:
        """(D,) size of a small step."""
        return (self.high - self.low) / _STEPS

    def clamp(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values limited to the sliders' range."""
        beyond = _BEYOND * (self.high - self.low)
        return np.clip(values, self.low - beyond, self.high + beyond)

    def cells(self, dimension: int, width: int) -> NDArray[np.float64]:
        """Return the values in the middle of a slider's cells."""
        low, high = float(self.low[dimension]), float(self.high[dimension])
        beyond = _BEYOND * (high - low)
        return np.linspace(low - beyond, high + beyond, width)

    def line(self, dimension: int, value: float, width: int) -> str:
        """Draw one slider: thick in the training images' range, thin beyond, ● at its value."""
        low, high = float(self.low[dimension]), float(self.high[dimension])
        cells = self.cells(dimension, width)
        half = (cells[1] - cells[0]) / 2 if width > 1 else 0.0
        inside = (cells >= low - half) & (cells <= high + half)
        marks = np.where(inside, "━", "─")
        marks[int(np.abs(cells - value).argmin())] = "●"
        return "".join(marks.tolist())


class LatentSliders(Widget, can_focus=True):
    """Moves the latent along its dimensions, and shows its values."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    LatentSliders {
        border: round $foreground 30%;
        border-title-color: $foreground;
        border-subtitle-color: $text-muted;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    """

    BINDINGS = bindings("sliders")

    @dataclass
    class Moved(Message):
        """The latent has changed."""

        latent: tuple[float, ...]

        def can_replace(self, message: Message) -> bool:
            """Drop older messages if the screen falls behind."""
            return isinstance(message, LatentSliders.Moved)

    def __init__(self) -> None:
        super().__init__()
        self._space: SliderSpace | None = None
        self._scale = Scale(np.empty(0), np.empty(0))
        self._values = self._start = np.empty(0)
        self._start_name = ""
        self._started = 0
        self._chosen = 0
        self._first = 0
        """dimension of the line at the top; what is clicked stays where it is"""
        self._held = False
        """whether the mouse holds the chosen slider"""

    def show(self, space: SliderSpace) -> None:
        """Show the sliders of a space; they keep their values if their number stays the same."""
        if self._space is None or space.low is not self._space.low:
            self._scale = Scale.of(space)
        same = self._space is not None and len(self._values) == len(space.low)
        self._space = space
        if not same:
            self._chosen = 0
            self._go(0)
            self._follow_chosen()
        self._tell()

    @property
    def latent(self) -> tuple[float, ...] | None:
        """What the sliders are set to; None before there are any."""
        return tuple(self._values.tolist()) or None

    def action_move(self, steps: int) -> None:
        """Move the chosen slider by small steps."""
        if len(self._values):
            moved = self._values.copy()
            moved[self._chosen] += steps * self._scale.step[self._chosen]
            self._set(self._scale.clamp(moved))

    def action_choose(self, by: int) -> None:
        """Choose another slider, from the first to the last."""
        self._chosen = min(max(self._chosen + by, 0), max(len(self._values) - 1, 0))
        self._follow_chosen()
        self._tell()

    def action_reset(self) -> None:
        """Reset the chosen slider."""
        if len(self._values):
            values = self._values.copy()
            values[self._chosen] = self._start[self._chosen]
            self._set(values)

    def action_start(self, by: int) -> None:
        """Go to the next mean; after the last comes the overall mean."""
        if self._space is not None:
            self._go((self._started + by) % len(self._space.starts))
            self._set(self._values)

    def action_image(self) -> None:
        """Go to the latent of the image last shown on another page."""
        if self._space is not None and self._space.image is not None:
            self._start_name, latent = self._space.image
            self._values = self._start = latent.copy()
            self._set(self._values)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the slider under the mouse, and move it there."""
        place = event.get_content_offset(self)
        if place is None or self._first + place.y >= len(self._values):
            return
        self._chosen = self._first + place.y
        self._held = True
        self.capture_mouse()
        self._tell()
        if 0 <= place.x - _NAME - 1 < self._room:
            self._move_to(place.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the slider that is held."""
        if self._held:
            self._move_to(event.x - self.gutter.left)

    def on_mouse_up(self) -> None:
        """Let go of the slider."""
        if self._held:
            self._held = False
            self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go to the slider above."""
        event.stop()
        self.action_choose(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go to the slider below."""
        event.stop()
        self.action_choose(1)

    def _move_to(self, column: int) -> None:
        """Move the chosen slider to a column of the content."""
        cells = self._scale.cells(self._chosen, self._room)
        values = self._values.copy()
        values[self._chosen] = cells[min(max(column - _NAME - 1, 0), len(cells) - 1)]
        if values[self._chosen] != self._values[self._chosen]:
            self._set(values)

    def on_resize(self) -> None:
        """Keep the chosen slider in view."""
        self._follow_chosen()

    def _follow_chosen(self) -> None:
        """Show as many sliders above the chosen one as below it."""
        height, count = self.content_size.height, len(self._values)
        self._first = min(max(self._chosen - height // 2, 0), max(count - height, 0))
        self.refresh()

    @property
    def _room(self) -> int:
        """Cells of a slider."""
        return max(self.content_size.width - _NAME - _NUMBER - 3, 1)

    def _go(self, start: int) -> None:
        assert self._space is not None
        self._started = start
        self._start_name, latent = self._space.starts[start]
        self._values = self._start = latent.copy()

    def _set(self, values: NDArray[np.float64]) -> None:
        self._values = values
        self._tell()
        self.post_message(self.Moved(tuple(values.tolist())))

    def _tell(self) -> None:
        count = len(self._values)
        self.border_title = Content(f"Dimension {self._chosen + 1} of {count}")
        moved = int((self._values != self._start).sum())
        way = f", {moved} moved" if moved else ""
        self.border_subtitle = Content(f"from {self._start_name}{way}")
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        dimension = self._first + y
        if dimension >= len(self._values):
            return Strip.blank(width, self.rich_style)
        chosen = dimension == self._chosen
        value = float(self._values[dimension])
        name = f"{'▸' if chosen else ' '}z{dimension + 1}".ljust(_NAME)
        moved = "*" if value != self._start[dimension] else " "
        text = f"{name} {self._scale.line(dimension, value, self._room)} "
        text += f"{column(number(value), _NUMBER, right=True)}{moved}"
        style = self.rich_style + Style(bold=chosen)
        return Strip([Segment(text, style)]).adjust_cell_length(width, self.rich_style)
