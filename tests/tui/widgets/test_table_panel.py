"""Panels of lines that are written for their width."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from tests.tui.pilots import until
from tui_latent.tui.widgets.table_panel import TablePanel

COUNT = 20


class OnePanel(App[None]):
    def compose(self) -> ComposeResult:
        yield TablePanel("table")


async def test_no_line_breaks_when_a_scroll_bar_takes_a_cell() -> None:
    async with OnePanel().run_test(size=(60, 10)) as pilot:
        panel = pilot.app.query_one(TablePanel)
        panel.display = False  # behind a tab, as on narrow screens
        await pilot.pause()
        panel.show(
            lambda width: ("Table",),
            lambda width: [Content(f"row {n}".ljust(width - 1) + "|") for n in range(COUNT)],
        )
        await pilot.pause()
        panel.display = True
        table = panel.query_one(Static)
        await until(pilot, lambda: panel.show_vertical_scrollbar and table.size.height > 1)
        await pilot.pause()
        lines = [table.render_line(y).text for y in range(table.size.height)]
        assert len(lines) == COUNT and all(line.endswith("|") for line in lines), lines
