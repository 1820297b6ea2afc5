"""The details of one point: its image, its kNN prediction and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui_latent.tui.charts.image_cells import Layout, Pixels, tile_sizes
from tui_latent.tui.charts.image_grid import ImageSheet, Tile
from tui_latent.tui.widgets.cut_text import CutText

_LEAST: Final = 4
"""lines below which tiles are not made smaller to show more of them"""


@dataclass(frozen=True)
class Grid(Layout):
    """Tiles row by row, all alike."""

    @property
    def capacity(self) -> int:
        """How many tiles fit beside the first."""
        return self.columns * self.rows - 1

    def place(self, number: int) -> tuple[int, int]:
        """Return (x, y) of a tile; -1 is the first."""
        row, column = divmod(number + 1, self.columns)
        return column * (self.tile_width + 1), row * (self.tile_height + 1)

    @property
    def width(self) -> int:
        """Cells from the first tile's left edge to the last one's right one."""
        return self.columns * (self.tile_width + 1) - 1


class TileGrid(ImageSheet):
    """Shows tiles as large as fit, each with a caption below."""

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show tiles, or nothing if there are none."""
        if tiles:
            self.show(tiles[0], tiles[1:], 0)
        else:
            self.say("")

    def _layout(self) -> Layout | None:
        if self._left is None:
            return None
        rows, columns = self._left.image.shape[:2]
        count = len(self._others) + 1
        for width, height in tile_sizes(self.size.height - 1, (rows, columns), self._cell()):
            across = (self.size.width + 1) // (width + 1)
            down = self.size.height // (height + 1)
            if across * down >= count or (height <= _LEAST and across * down):
                return Grid(width, height, across, down)
        return None


@dataclass(frozen=True, eq=False)
class PointWords:
    """What the panel shows of a point."""

    title: str
    lines: Sequence[Content]
    image: Pixels | None
    nearest_title: str
    nearest: Sequence[Tile]
    distant_title: str
    distant: Sequence[Tile]
    problem: str = ""
    listed: Sequence[str] = ()
    """the related points in words, where there are no images of them"""


class PointPanel(Vertical):
    """Describes the point at the cursor."""

    DEFAULT_CSS = """
    PointPanel {
        border: round $foreground 30%; border-title-color: $foreground; padding: 0 1;
    }
    PointPanel > #point { height: 10; }
    PointPanel > #point > #portrait { width: 20; }
    PointPanel > #point > #facts { width: 1fr; height: auto; max-height: 100%; }
    PointPanel > .heading {
        height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    PointPanel > TileGrid { height: 1fr; }
    PointPanel > #problem { height: auto; color: $text-warning; }
    PointPanel > #listed { height: 1fr; display: none; }
    PointPanel.-listed > #listed { display: block; }
    PointPanel.-listed > TileGrid, PointPanel.-listed > .heading { display: none; }
    PointPanel.-listed > #point { height: auto; }
    PointPanel.-listed > #point > #facts { max-height: 12; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal(id="point"):
            portrait = TileGrid()
            portrait.id = "portrait"
            yield portrait
            yield CutText(id="facts", markup=False)
        yield CutText(id="problem", markup=False)
        yield CutText(id="listed", markup=False)
        yield Static(id="nearest-title", classes="heading", markup=False)
        nearest = TileGrid()
        nearest.id = "nearest"
        yield nearest
        yield Static(id="distant-title", classes="heading", markup=False)
        distant = TileGrid()
        distant.id = "distant"
        yield distant

    def show(self, words: PointWords) -> None:
        """Show the details of a point."""
        self.border_title = Content(words.title)
        self.query_one("#facts", Static).update(Content("\n").join(words.lines))
        portrait = [] if words.image is None else [Tile(words.image, "")]
        self.query_one("#portrait", TileGrid).show_tiles(portrait)
        self.query_one("#portrait").display = bool(portrait)
        self.query_one("#problem", Static).update(Content(words.problem))
        self.query_one("#problem").display = bool(words.problem)
        self.set_class(bool(words.listed), "-listed")
        self.query_one("#listed", Static).update(Content("\n".join(words.listed)))
        self.query_one("#nearest-title", Static).update(Content(words.nearest_title))
        self.query_one("#nearest", TileGrid).show_tiles(words.nearest)
        self.query_one("#distant-title", Static).update(Content(words.distant_title))
        self.query_one("#distant", TileGrid).show_tiles(words.distant)
