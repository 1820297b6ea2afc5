"""The visible part of the plane, and the mapping between places and cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.map_frame import Frame, Ints
from tui_latent.tui.charts.raster import DOTS_X, DOTS_Y


@dataclass(frozen=True)
class Window:
    """The part of the plane that a canvas shows, and its mapping to cells."""

    x: float
    """middle, in the plane"""
    y: float
    unit: float
    """length in the plane of a braille dot"""
    width: int
    """cells"""
    height: int

    @classmethod
    def around(cls, frame: Frame, width: int, height: int) -> Window:
        """Return the window that shows a whole frame."""
        dots_x, dots_y = max(width * DOTS_X - 1, 1), max(height * DOTS_Y - 1, 1)
        unit = max((frame.right - frame.left) / dots_x, (frame.top - frame.bottom) / dots_y)
        x, y = (frame.left + frame.right) / 2, (frame.bottom + frame.top) / 2
        return cls(x, y, unit, width, height)

    @property
    def frame(self) -> Frame:
        """The part of the plane."""
        half_x = self.unit * (self.width * DOTS_X - 1) / 2
        half_y = self.unit * (self.height * DOTS_Y - 1) / 2
        return Frame(self.x - half_x, self.x + half_x, self.y - half_y, self.y + half_y)

    def place(self, column: int, row: int) -> tuple[float, float]:
        """Return the middle of a cell in the plane; rows count from the top."""
        dots_x = (column + 0.5) * DOTS_X - self.width * DOTS_X / 2
        dots_y = self.height * DOTS_Y / 2 - (row + 0.5) * DOTS_Y
        return self.x + dots_x * self.unit, self.y + dots_y * self.unit

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the (column, row) of a place; it may lie outside the canvas."""
        columns, rows = self.cells(np.array([[x, y]]))
        return int(columns[0]), int(rows[0])

    def cells(self, points: NDArray[Any]) -> tuple[Ints, Ints]:
        """Return the columns and rows of (N, 2) places; outside, one beyond the canvas."""
        columns = ((points[:, 0] - self.x) / self.unit + self.width * DOTS_X / 2) // DOTS_X
        rows = (self.height * DOTS_Y / 2 - (points[:, 1] - self.y) / self.unit) // DOTS_Y
        columns, rows = np.clip(columns, -1, self.width), np.clip(rows, -1, self.height)
        return columns.astype(np.int64), rows.astype(np.int64)

    def contains(self, x: float, y: float) -> bool:
        """Return whether a place is visible."""
        column, row = self.cell(x, y)
        return 0 <= column < self.width and 0 <= row < self.height

    def zoomed(self, factor: float, x: float, y: float) -> Window:
        """Return a window in which the place (x, y) stays where it is and lengths grow."""
        return replace(
            self,
            unit=self.unit / factor,
            x=x + (self.x - x) / factor,
            y=y + (self.y - y) / factor,
        )

    def panned(self, columns: int, rows: int) -> Window:
        """Return a window moved by cells, right and down."""
        return replace(
            self,
            x=self.x + columns * DOTS_X * self.unit,
            y=self.y - rows * DOTS_Y * self.unit,
        )
