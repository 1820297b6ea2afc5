"""A panel of curves as people use it: keys and mouse read, zoom and choose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from tests.tui.made_runs import clusters, trained_run
from tests.tui.pilots import MenulessApp, all_drawn, panel_text, until
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.screens.dashboard.screen import DashboardScreen

SIZE = (120, 40)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of 720 steps, 60 of them an epoch."""
    writer = trained_run(tmp_path)
    writer.status(state="finished", total_steps=2400, total_epochs=40)
    writer.close()
    return writer.path


async def opened(pilot: Pilot[int]) -> tuple[DashboardScreen, CurveChart]:
    """Return the dashboard with the focus on the loss."""
    screen = await all_drawn(pilot)
    chart = screen.query_one("#loss", CurveChart)
    chart.focus()
    await pilot.pause()
    return screen, chart


async def shows(pilot: Pilot[int], screen: DashboardScreen, *words: str) -> str:
    """Wait until the loss panel shows all words, and return what it shows."""
    await until(pilot, lambda: all(word in panel_text(screen, "loss") for word in words))
    return panel_text(screen, "loss")


async def test_keys_move_a_cursor_that_reads_step_and_value(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        screen, chart = await opened(pilot)
        await pilot.press("left")
        await shows(pilot, screen, "step 720", "epoch 12.0", "1:12", "total 3.")
        await pilot.press("home")
        await shows(pilot, screen, "step 10 ·", "epoch 0.2")
        before = chart.options.cursor
        await pilot.press("right")
        await until(pilot, lambda: chart.options.cursor != before)
        assert str(chart.border_subtitle).startswith("← read · + zoom")
        await pilot.press("escape")  # the cursor goes, the dashboard stays
        await until(pilot, lambda: "step" not in panel_text(screen, "loss"))
        assert pilot.app.screen is screen


async def test_zooming_keeps_the_cursor_in_view_and_z_shows_the_whole_run(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        screen, chart = await opened(pilot)
        whole = panel_text(screen, "loss")
        await pilot.press("left", "plus")
        text = await shows(pilot, screen, "zoomed", "step 720")
        assert " 0 " not in text.splitlines()[-2]  # the axis no longer begins at the start
        assert chart._plot is not None
        left = chart._plot.frame.left
        await pilot.press("shift+left")
        await until(pilot, lambda: chart._plot is not None and chart._plot.frame.left < left)
        await pilot.press("z", "escape")
        await until(pilot, lambda: panel_text(screen, "loss") == whole)


async def test_the_mouse_reads_zooms_and_chooses_the_curve_in_front(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        screen, chart = await opened(pilot)
        plot = chart._plot
        assert plot is not None
        middle = 1 + plot.left + plot.columns // 2, 1 + plot.top + plot.rows // 2
        await pilot.click(chart, offset=middle)
        await shows(pilot, screen, "step 370")  # of 720, at the 21st of 40 columns: 369
        await pilot._post_mouse_events([MouseScrollUp], chart, middle, button=0)
        await shows(pilot, screen, "zoomed")
        column = panel_text(screen, "loss").splitlines()[1].index("InfoNCE")
        await pilot.click(chart, offset=(1 + column, 1))
        await shows(pilot, screen, "InfoNCE 3.", "· InfoNCE")
        assert chart.options.front == "InfoNCE"


async def test_w_shows_the_terms_as_they_count_or_raw(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        screen, _ = await opened(pilot)
        # The preset gives norm no weight: it is recorded, and does not count.
        text = await shows(pilot, screen, "as they count", "100 %")
        assert "norm 0" in text and "0 %" in text
        await pilot.press("w")
        text = await shows(pilot, screen, "raw terms")
        assert "norm .02" in text and "%" not in text


async def test_n_brings_the_next_curve_to_the_front(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        _, chart = await opened(pilot)
        assert chart.options.front == "total"
        for key, front in (("n", "InfoNCE"), ("n", "norm"), ("n", "total"), ("N", "norm")):
            await pilot.press(key)
            await until(pilot, lambda front=front: chart.options.front == front)  # type: ignore[misc]


async def test_x_goes_through_steps_epochs_and_time(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        screen, chart = await opened(pilot)
        await pilot.press("left", "X")
        await shows(pilot, screen, "epochs", "epoch 12.0")
        assert chart.options.cursor == pytest.approx(12.0)
        await pilot.press("X")
        await shows(pilot, screen, "time", "1:12")
        await pilot.press("X")
        await until(pilot, lambda: chart.options.axis == "step")
        assert chart.options.cursor == pytest.approx(720.0)


async def test_enter_shows_the_evaluation_at_the_cursor(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)  # with a map of step 720
    earlier = clusters(2000, 10)
    writer.latent_map(replace(earlier, step=900))
    writer.status(state="finished", total_steps=2400, total_epochs=40)
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=SIZE) as pilot:
        screen, _ = await opened(pilot)
        await until(pilot, lambda: "step 900" in panel_text(screen, "map").splitlines()[0])
        await pilot.press("home", "enter")
        await until(pilot, lambda: "step 720" in panel_text(screen, "map").splitlines()[0])


async def test_nothing_is_drawn_again_without_a_change(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=SIZE) as pilot:
        screen, chart = await opened(pilot)
        drawing = chart._drawing
        screen._panels._charted = None
        screen._panels.show_curves(screen._snapshot)
        await until(pilot, pilot.app.drawer.idle)  # type: ignore[attr-defined]
        assert chart._drawing is drawing
