"""Panels whose cells open their images: with a cursor and Enter, or with a click."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name

Write = Callable[[int], Content]
"""writes a panel at a given width in cells"""
Cell = tuple[int, int]
"""row and column; of a table of classes the column is 0"""
WriteCursor = Callable[[int, "Cell | None"], Content]
"""writes a panel at a given width, with a cell highlighted"""


class Panel(Static):
    """A titled panel that rewrites its content when its width changes."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(id=name, markup=False)
        self.border_title = title
        self._write: Write = lambda _: Content("")
        self._width = 0

    def show(self, write: Write) -> None:
        """Show what `write` returns for the panel's width."""
        self._write = write
        self.rewrite()

    def on_resize(self) -> None:
        if self.content_size.width != self._width:
            self.rewrite()

    def rewrite(self) -> None:
        """Write the content again."""
        width = self.content_size.width
        if width > 0:
            self._width = width
            self.update(self._write(width))


class CursorPanel(Panel, can_focus=True):
    """A panel of cells, each of which stands for images."""

    class Opened(Message):
        """A cell was opened: a class, or the images of one class that are taken for another.

        Of a cluster, `truth` is its row.
        """

        def __init__(self, truth: int, called: int | None, cluster: bool = False) -> None:
            super().__init__()
            self.truth = truth
            self.called = called
            self.cluster = cluster

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._cells: Cell = (0, 0)
        self._at: Cell = (0, 0)

    def show_cells(self, write: WriteCursor, cells: Cell, at: Cell = (0, 0)) -> None:
        """Show `cells` rows and columns, with the cursor at one of them while focused."""
        self._cells, self._at = cells, at
        key = key_name("rows.open", self.app._keymap)
        hint = f"Tab selects · {key} shows the images"
        self.border_subtitle = hint if min(cells) > 0 else ""
        self.show(lambda width: write(width, self._at if self._has_cursor else None))

    @property
    def _has_cursor(self) -> bool:
        return self.has_focus and min(self._cells) > 0

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show the cursor while the panel has the focus."""
        super().watch_has_focus(_has_focus)
        self.rewrite()

    def action_move(self, across: int, down: int) -> None:
        """Move the cursor by cells."""
        rows, columns = self._cells
        row, column = self._at[0] + down, self._at[1] + across
        self._at = min(max(row, 0), max(rows - 1, 0)), min(max(column, 0), max(columns - 1, 0))
        self.rewrite()

    def action_open(self) -> None:
        """Open the images of the cell under the cursor."""
        if min(self._cells) > 0:
            self.post_message(self.opened(self._at))

    def opened(self, cell: Cell) -> Opened:
        """Return the message that opening a cell posts."""
        raise NotImplementedError

    async def on_click(self, event: events.Click) -> None:
        """Open the cell that was clicked."""
        cell = event.style.meta.get("cell")
        if isinstance(cell, tuple) and min(self._cells) > 0:
            self._at = cell
            self.action_open()


class ClassPanel(CursorPanel):
    """A row for each class; opening one shows the class alone."""

    BINDINGS = bindings("class rows")

    def opened(self, cell: Cell) -> CursorPanel.Opened:
        """Return the class of a row."""
        return self.Opened(cell[0], None)


class ClusterPanel(CursorPanel):
    """A row for each cluster; opening one shows the cluster alone."""

    BINDINGS = bindings("class rows")

    def opened(self, cell: Cell) -> CursorPanel.Opened:
        """Return the cluster of a row."""
        return self.Opened(cell[0], None, cluster=True)


class MatrixPanel(CursorPanel):
    """A confusion matrix; opening a cell shows its images, on the diagonal the class."""

    BINDINGS = bindings("matrix")

    def opened(self, cell: Cell) -> CursorPanel.Opened:
        """Return the classes of a cell."""
        return self.Opened(cell[0], None if cell[0] == cell[1] else cell[1])

    def action_solo(self) -> None:
        """Show the class of the row alone."""
        if min(self._cells) > 0:
            self.post_message(self.Opened(self._at[0], None))
