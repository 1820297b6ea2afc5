"""An image in a terminal's own pixels, as a widget: by Kitty's protocol, iTerm2's, or Sixel."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import count
from typing import Final

from PIL import Image
from rich.color import Color
from rich.control import Control
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui_latent.tui.charts.image_protocols import (
    iterm2_image,
    kitty_image,
    kitty_number,
    kitty_removal,
    most_cells,
    placeholders,
    sixel_image,
    through_tmux,
)
from tui_latent.tui.charts.terminal_images import Way

_OURS: Final = secrets.randbelow(256)
_numbers: Iterator[int] = count()
_NO_STYLE: Final = Style()


class PixelImage(Widget):
    """Fills its cells with an image; nothing is drawn while another screen covers it."""

    def __init__(self, image: Image.Image, way: Way, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._image = image
        self._way = way
        self._number: int | None = None
        """of the image that the terminal has, in Kitty's protocol"""
        self._rows: list[str] = []

    @property
    def image(self) -> Image.Image:
        """The image shown."""
        return self._image

    @image.setter
    def image(self, image: Image.Image) -> None:
        self._image = image
        self._free()
        self.refresh()

    def on_resize(self) -> None:
        self._free()

    def on_unmount(self) -> None:
        self._free()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return placeholders, or on the last line the message that draws the part in view."""
        if not crop.area:
            return []
        if not self.screen.is_active:
            return [Strip.blank(crop.width)] * crop.height
        if self._way in ("kitty", "tmux"):
            return self._placeholder_lines(crop)
        place = self.screen.find_widget(self).visible_region
        message = self._message(crop)
        segments = [
            Segment(Control.move_to(place.x, place.y).segment.text, _NO_STYLE),
            # A control that does nothing keeps Textual from measuring the message.
            Segment(message, _NO_STYLE, ((ControlType.CURSOR_FORWARD, 0),)),
            Segment(Control.move_to(place.right, place.bottom).segment.text, _NO_STYLE),
        ]
        return [Strip([])] * (crop.height - 1) + [Strip(segments, cell_length=crop.width)]

    def _placeholder_lines(self, crop: Region) -> list[Strip]:
        columns, rows = (min(size, most_cells()) for size in self.size)
        if self._number is None:
            self._number = kitty_number(_OURS, next(_numbers))
            for message in kitty_image(self._image, self._number, columns, rows):
                self._send(message)
            self._rows = placeholders(self._number, columns, rows)
        style = Style(color=Color.from_ansi(self._number & 255))
        per_cell = len(self._rows[0]) // columns
        lines = []
        for row in self._rows[crop.y : crop.bottom]:
            text = row[crop.x * per_cell : crop.right * per_cell]
            lines.append(Strip([Segment(text, style)], cell_length=len(text) // per_cell))
        return lines

    def _message(self, crop: Region) -> str:
        across, down = self._image.width / self.size.width, self._image.height / self.size.height
        part = self._image.crop(
            (
                round(crop.x * across),
                round(crop.y * down),
                round(crop.right * across),
                round(crop.bottom * down),
            )
        )
        if self._way == "iterm2":
            return iterm2_image(part, crop.width, crop.height)
        red, green, blue = self.background_colors[1].rgb
        return sixel_image(part, (red, green, blue))

    def _free(self) -> None:
        if self._number is not None:
            self._send(kitty_removal(self._number))
            self._number = None

    def _send(self, message: str) -> None:
        driver = self.app._driver
        if driver is not None:
            driver.write(through_tmux(message) if self._way == "tmux" else message)
