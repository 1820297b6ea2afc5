"""The log follows the newest lines unless someone has scrolled up."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tests.tui.pilots import until
from tui_latent.tui.screens.dashboard.log_panel import LogPanel

LINES = tuple(f"12:00:{i:02} line {i} with words enough for two rows of a panel" for i in range(60))


class LogApp(App[None]):
    def compose(self) -> ComposeResult:
        yield LogPanel()


def visible(panel: LogPanel) -> str:
    return "\n".join(panel.render_line(y).text for y in range(panel.size.height))


def label(panel: LogPanel) -> str:
    return str(panel.border_subtitle)


@pytest.mark.slow
async def test_it_follows_through_every_change_of_size() -> None:
    app = LogApp()
    async with app.run_test(size=(44, 12)) as pilot:
        panel = app.query_one(LogPanel)
        assert label(panel) == "No output yet."
        panel.show(LINES[:30])
        await until(pilot, lambda: "line 29" in visible(panel))
        for at, size in enumerate([(120, 40), (44, 8), (200, 55), (60, 10)], start=30):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda last=at - 1: f"line {last}" in visible(panel))  # type: ignore[misc]
            panel.show(LINES[: at + 1])
            await until(pilot, lambda last=at: f"line {last}" in visible(panel))  # type: ignore[misc]
        assert label(panel) == ""


@pytest.mark.slow
async def test_scrolled_up_it_stays_and_counts_the_new_lines() -> None:
    app = LogApp()
    async with app.run_test(size=(44, 12)) as pilot:
        panel = app.query_one(LogPanel)
        panel.show(LINES[:40])
        panel.focus()
        await pilot.press("home")
        await until(pilot, lambda: "line 0 " in visible(panel))
        panel.show(LINES[:52])
        await pilot.pause()
        assert label(panel) == "12 new lines · End shows them" and "line 0 " in visible(panel)
        await pilot.press("end")
        await until(pilot, lambda: "line 51" in visible(panel))
        assert label(panel) == ""
        panel.show(LINES[:53])
        await until(pilot, lambda: "line 52" in visible(panel))


async def test_a_change_of_width_leaves_the_same_line_at_the_top() -> None:
    app = LogApp()
    async with app.run_test(size=(44, 12)) as pilot:
        panel = app.query_one(LogPanel)
        panel.show(LINES)
        panel.focus()
        panel.scroll_to(y=40, animate=False, immediate=True)
        await pilot.pause()
        assert "line 20 " in panel.render_line(0).text
        await pilot.resize_terminal(120, 12)
        await until(pilot, lambda: "line 20 " in panel.render_line(0).text)
        panel.show((*LINES, "12:01:00 one more"))
        assert label(panel) == "1 new line · End shows it"
        assert "line 20 " in panel.render_line(0).text
