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
    async with OnePanel().run_test(size=(60, 40)) as pilot:
        panel = pilot.app.query_one(TablePanel)
        panel.show(
            lambda width: ("Table",),
            lambda width: [Content(f"row {n}".ljust(width - 1) + "|") for n in range(COUNT)],
        )
        await pilot.pause()
        assert not panel.show_vertical_scrollbar
        for size in ((50, 10), (50, 40), (60, 10)):
            panel.display = False  # behind a tab, as on narrow screens
            await pilot.resize_terminal(*size)
            panel.display = True
            await until(pilot, lambda: panel.show_vertical_scrollbar == (size[1] < COUNT))
            table = panel.query_one(Static)
            for _ in range(5):
                await pilot.pause()
            lines = [table.render_line(y).text for y in range(table.size.height)]
            assert len(lines) == COUNT and all(line.endswith("|") for line in lines), lines
