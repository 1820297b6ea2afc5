"""Choose the columns of the table of runs, and the one it is sorted by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.menu.run_columns import BY_ID, COLUMNS
from tui_latent.tui.widgets.line_list import LineList

_ALWAYS = ("state", "run")

Arrange = Callable[[Sequence[str], str, bool], None]


class _Columns(LineList):
    BINDINGS = bindings("column list")
    CLICK_CHOOSES = True


class ColumnsScreen(DialogScreen[None]):
    """Lists the columns; the table behind follows each choice."""

    CSS = """
    ColumnsScreen { align: center middle; }
    ColumnsScreen > Vertical {
        width: 68; max-width: 90%; height: 22; max-height: 90%; padding: 0 1;
        border: round $accent; background: $surface;
    }
    ColumnsScreen LineList { background: transparent; }
    ColumnsScreen Static { height: auto; color: $text-muted; }
    """

    BINDINGS = bindings("columns")

    def __init__(self, chosen: Sequence[str], by: str, falling: bool, arrange: Arrange) -> None:
        super().__init__()
        self._chosen, self._by, self._falling = list(chosen), by, falling
        self._on_change = arrange

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Columns"
            yield _Columns()
            keymap = self.app._keymap
            show, sort, close = (
                key_name(f"columns.{verb}", keymap) for verb in ("toggle", "sort", "close")
            )
            yield Static(
                f"{show} shows or hides a column · {sort} sorts by it, or reverses the order · "
                f"{close} closes. A narrow screen shows as many as fit.",
                markup=False,
            )

    def on_mount(self) -> None:
        self._draw()
        self.set_focus(self.query_one(_Columns))

    def _draw(self) -> None:
        def write(index: int, _: int) -> Content:
            column = COLUMNS[index]
            tick = "✓" if column.id in self._chosen or column.id in _ALWAYS else " "
            arrow = ("↓" if self._falling else "↑") if column.id == self._by else " "
            text = f" {tick} {arrow} {column.title:15}"
            return Content.assemble((text, "bold"), column.meaning)

        self.query_one(_Columns).show([column.id for column in COLUMNS], write)

    @property
    def _column(self) -> str:
        return COLUMNS[self.query_one(_Columns).cursor].id

    @on(LineList.Selected)
    def toggle(self, event: LineList.Selected) -> None:
        """Show or hide the column that was clicked."""
        event.stop()
        self.action_show()

    def action_show(self) -> None:
        """Show or hide the column under the cursor."""
        name = self._column
        if name in _ALWAYS:
            self.notify("State and name are always shown.", timeout=3)
            return
        shown = set(self._chosen) ^ {name}
        self._chosen = [column.id for column in COLUMNS if column.id in shown]
        self._change()

    def action_sort(self) -> None:
        """Sort by the column under the cursor, or reverse the order."""
        name = self._column
        self._falling = not self._falling if name == self._by else BY_ID[name].falling
        self._by = name
        self._change()

    def _change(self) -> None:
        self._on_change(self._chosen, self._by, self._falling)
        self._draw()
