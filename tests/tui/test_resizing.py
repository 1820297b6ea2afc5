"""Screens in a terminal whose size changes while they are open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.known_images import KnownImages, KnownLandings, known_distant
from tests.tui.made_runs import trained_run
from tests.tui.menus import NotingApp, menu, presets, run_in
from tests.tui.pilots import MenulessApp, screen_text, until
from tui_latent import analysis
from tui_latent.tui.charts.image_grid import ImageSheet
from tui_latent.tui.screens.images.screen import ViewerScreen

__all__ = ["presets"]

TOO_SMALL = (40, 12)


async def test_the_focus_returns_when_the_terminal_grows_again(
    tmp_path: Path, presets: Path
) -> None:
    run_in(tmp_path / "runs", "one")
    async with NotingApp(tmp_path / "runs").run_test(size=(80, 24)) as pilot:
        screen = await menu(pilot)
        await pilot.press("tab")
        focused = screen.focused
        await pilot.resize_terminal(*TOO_SMALL)
        await until(pilot, lambda: "needs 60x20" in screen_text(pilot))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: screen.focused is not None)
        assert screen.focused is focused


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (101, 31), (200, 55)], ids=str)
async def test_images_keep_a_margin_at_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(analysis, "RunInspector", KnownImages)
    monkeypatch.setattr("tui_latent.analysis.view_spread.ViewSpreads", KnownLandings)
    monkeypatch.setattr("tui_latent.analysis.class_extremes.most_distant", known_distant)
    writer = trained_run(tmp_path, state="finished")
    writer.close()
    app = MenulessApp(tmp_path)
    async with app.run_test(size=TOO_SMALL) as pilot:
        await app.push_screen(ViewerScreen(writer.path, app.drawer, page="neighbours"))
        await until(pilot, lambda: "needs 60x20" in screen_text(pilot))
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: app.screen.query_one(ImageSheet).shown > 0)
        sheet = app.screen.query_one(ImageSheet).region
        painted = [
            strip.crop(left, left + 1)
            for strip in app.screen._compositor.render_strips()[sheet.y : sheet.bottom]
            for left in (sheet.x - 1, sheet.right)
        ]
        ground = app.screen.background_colors[1].rich_color.triplet
        for cell in (segment for strip in painted for segment in strip):
            assert not cell.text.strip()
            assert (
                cell.style is None
                or cell.style.bgcolor is None
                or (cell.style.bgcolor.triplet == ground)
            )
