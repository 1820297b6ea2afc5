"""Images on the screen: half-blocks everywhere, shades without colour, real pixels where possible.

A sheet is one image at the left and a grid of others beside it. Every row of tiles is one
array, with gaps of nothing between the tiles, so that a terminal that draws real pixels is
sent a few images instead of one per tile; captions are always text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from tui_latent.tui.charts.cell_pixels import cell_pixels
from tui_latent.tui.charts.image_cells import (
    HALF_BLOCK,
    Framed,
    Layout,
    Pixels,
    arrange,
    framed,
    half_blocks,
    shades,
)
from tui_latent.tui.charts.terminal_images import Way
from tui_latent.tui.format import clip, clip_caption

_image_widget: Callable[..., Widget] | None = None


def use_real_pixels(way: Way) -> None:
    """Draw images from now on in one of the terminal's ways; half-blocks until then."""
    from tui_latent.tui.charts.pixel_image import PixelImage

    global _image_widget
    _image_widget = None if way == "cells" else partial(PixelImage, way=way)


@dataclass(frozen=True, eq=False)
class Tile:
    """One image and its caption."""

    image: Pixels
    caption: str
    style: str = ""
    """of the caption"""


Placed = tuple[int, int, Tile]
"""x and y of a tile on its sheet, in cells"""


class ImageSheet(Widget):
    """Shows one image on the left and others beside it, as large as fit; or a sentence."""

    DEFAULT_CSS = """
    ImageSheet { width: 1fr; height: 1fr; }
    ImageSheet > .pixels { position: absolute; }
    """

    at_least: reactive[int] = reactive(1)
    """number of images beside the left one for which tiles are made smaller if needed"""

    def __init__(self) -> None:
        super().__init__()
        self._left: Tile | None = None
        self._others: Sequence[Tile] = ()
        self._below: Sequence[Tile] = ()
        self._heading = ""
        self.set_reactive(ImageSheet.at_least, 1)
        self._sentence = ""
        self._strips: list[Strip] = []

    @property
    def shown(self) -> int:
        """How many tiles fit beside the left one."""
        layout = self._layout()
        return 0 if layout is None else min(layout.capacity, len(self._others))

    def show(
        self,
        left: Tile,
        others: Sequence[Tile],
        at_least: int,
        below: Sequence[Tile] = (),
        heading: str = "",
    ) -> None:
        """Show images: at least `at_least` beside the left one, made smaller if needed.

        `below` has the last row to itself, with `heading` at its left.
        """
        self._left, self._others = left, others
        self._below, self._heading = below, heading
        self.set_reactive(ImageSheet.at_least, at_least)
        self._redraw()

    def say(self, sentence: str) -> None:
        """Show a sentence instead of images."""
        self._left, self._sentence = None, sentence
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def watch_at_least(self) -> None:
        self._redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._redraw()

    def render_line(self, y: int) -> Strip:
        line = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
        return line.apply_style(self.rich_style)

    def _layout(self) -> Layout | None:
        if self._left is None:
            return None
        shape = (self._left.image.shape[0], self._left.image.shape[1])
        rows = 2 if self._below else 1
        return arrange(self.size.width, self.size.height, shape, self.at_least, self._cell(), rows)

    def _cell(self) -> tuple[int, int]:
        return HALF_BLOCK if _image_widget is None else cell_pixels()

    def _redraw(self) -> None:
        layout = self._layout()
        if self._left is None or layout is None:
            self._strips = self._sentence_strips()
            self._place_pixels({}, None)
        else:
            self._draw(layout, self._placed(layout, self._left))
        self.refresh()

    def _placed(self, layout: Layout, left: Tile) -> list[Placed]:
        """Return the tiles that fit, with their (x, y)."""
        room = layout.capacity
        below = self._below if layout.rows > 1 else ()
        if below:
            room -= layout.columns
        placed = [(*layout.place(-1), left)]
        placed += [(*layout.place(n), tile) for n, tile in enumerate(self._others[:room])]
        first = layout.capacity - layout.columns
        last = enumerate(below[: layout.columns])
        return placed + [(*layout.place(first + n), tile) for n, tile in last]

    def _sentence_strips(self) -> list[Strip]:
        cramped = "The window is too small for images."
        sentence = Content(self._sentence if self._left is None else cramped)
        return Visual.to_strips(self, sentence, self.size.width, None, self.visual_style)

    def _draw(self, layout: Layout, placed: Sequence[Placed]) -> None:
        frames: dict[int, Framed] = {}
        self._strips = []
        last = layout.place(layout.capacity - 1)[1] if layout.rows > 1 and self._below else -1
        for y in sorted({y for _, y, _ in placed}):
            row = [(x, tile) for x, top, tile in placed if top == y]
            self._strips += [Strip.blank(self.size.width)] * (y - len(self._strips))
            frames[y] = self._frame(layout, row)
            if _image_widget is None:
                lines = self._cells(frames[y])
                self._strips += [Strip(line).adjust_cell_length(self.size.width) for line in lines]
            else:
                self._strips += [Strip.blank(self.size.width)] * layout.tile_height
            self._strips += self._captions(layout, row, self._heading if y == last else "")
        shown = frames if _image_widget is not None else {}
        self._place_pixels(shown, layout)

    def _frame(self, layout: Layout, row: Sequence[tuple[int, Tile]]) -> Framed:
        """Return one row of tiles as an array, transparent where there is no tile."""
        across, down = self._cell()
        height = layout.tile_height * down
        frame = np.zeros((height, layout.width * across, 4), np.uint8)
        for x, tile in row:
            inside = frame[:, x * across : (x + layout.tile_width) * across]
            inside[:] = framed(tile.image, height, layout.tile_width * across)
        return frame

    def _cells(self, frame: Framed) -> list[list[Segment]]:
        if self.app.no_color:
            return shades(frame, dark=self.app.current_theme.dark)
        return half_blocks(frame)

    def _captions(
        self, layout: Layout, row: Sequence[tuple[int, Tile]], heading: str
    ) -> list[Strip]:
        line = Content(clip(heading, layout.tile_width))
        for x, tile in row:
            text = clip_caption(tile.caption, layout.tile_width)
            before = x + (layout.tile_width - cell_len(text)) // 2 - line.cell_length
            line += Content.assemble(" " * before, (text, tile.style))
        strips = Visual.to_strips(self, line, self.size.width, 1, self.visual_style)
        return [strip.adjust_cell_length(self.size.width) for strip in strips]

    def _place_pixels(self, frames: Mapping[int, Framed], layout: Layout | None) -> None:
        """Put one image widget on every row of tiles, reusing existing ones."""
        widgets: list[Any] = list(self.query(".pixels"))
        for widget in widgets[len(frames) :]:
            widget.remove()
        for number, (y, frame) in enumerate(frames.items()):
            from PIL import Image

            picture = Image.fromarray(frame, "RGBA")
            if number < len(widgets):
                widget = widgets[number]
                widget.image = picture
            else:
                assert _image_widget is not None
                widget = _image_widget(picture, classes="pixels")
                self.mount(widget)
            assert layout is not None
            widget.styles.offset = (0, y)
            widget.styles.width, widget.styles.height = layout.width, layout.tile_height
