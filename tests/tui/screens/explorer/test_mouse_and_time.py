"""The explorer's mouse, its clouds and what is selected, driven as a person would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from textual.pilot import Pilot

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, dashboard, until
from tests.tui.screens.test_explorer import WIDE, digits_run, explorer, facts, line, shown_map
from tui_latent.tui.charts.film import HEIGHT, WIDTH
from tui_latent.tui.screens.dashboard.panels import RunPanels
from tui_latent.tui.screens.explorer.map import ExplorerMap
from tui_latent.tui.screens.explorer.point_panel import PointPanel
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.widgets.film_strip import FilmStrip
from tui_latent.tui.widgets.key_footer import KeyFooter


async def cloud(pilot: Pilot[Any]) -> ExplorerScreen:
    """Open the explorer and show the latents as a cloud that rests."""
    screen = await explorer(pilot)
    for title in ("trustworthiness", "between classes", "t-SNE", "the latents themselves"):
        await pilot.press("j")
        if title != "t-SNE":
            await until(pilot, lambda title=title: title in shown_map(screen))  # type: ignore[misc]
    return screen


def turn(screen: ExplorerScreen) -> float:
    return screen._look.camera.yaw


def footer(screen: ExplorerScreen) -> str:
    return screen.query_one(KeyFooter).render().plain


async def test_a_cloud_turns_until_someone_takes_it_in_hand(tmp_path: Path) -> None:
    writer = digits_run(tmp_path, dimensions=3)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await cloud(pilot)
        before = turn(screen)
        await until(pilot, lambda: turn(screen) > before + 0.1)
        await until(pilot, lambda: "Spin" in footer(screen) and "Rotate" in footer(screen))
        await pilot.press("shift+left")
        rests = turn(screen)
        await pilot.pause(0.6)
        assert turn(screen) == rests
        await pilot.press("R")
        await until(pilot, lambda: turn(screen) > rests)
        await pilot.press("R")
        rests = turn(screen)
        await pilot.mouse_down(ExplorerMap, offset=(30, 10))
        await pilot.hover(ExplorerMap, offset=(36, 10))
        await pilot.mouse_up(ExplorerMap, offset=(36, 10))
        await until(pilot, lambda: turn(screen) > rests)
        assert {"x", "y", "z"} <= set(shown_map(screen))
    writer.close()


async def test_over_ssh_a_cloud_rests_until_it_is_asked_to_turn(tmp_path: Path) -> None:
    writer = digits_run(tmp_path, dimensions=3)
    app = MenulessApp(tmp_path, open_path=writer.path)
    app.animation_level = "none"
    async with app.run_test(size=WIDE) as pilot:
        screen = await cloud(pilot)
        rests = turn(screen)
        await pilot.pause(1.5)
        assert turn(screen) == rests
        await pilot.press("R")
        await until(pilot, lambda: turn(screen) > rests)
    writer.close()


async def test_dragging_moves_the_map_and_selects_nothing(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        widget = screen.query_one(ExplorerMap)
        before, selected = widget._window, widget.selected
        assert before is not None and "Rotate" not in footer(screen)
        await pilot.mouse_down(ExplorerMap, offset=(30, 10))
        await pilot.hover(ExplorerMap, offset=(20, 13))
        await pilot.mouse_up(ExplorerMap, offset=(20, 13))
        after = widget._window
        assert after is not None and widget.selected == selected
        assert after.cell(*before.place(30, 10)) == (20, 13), "what was held follows the mouse"
    writer.close()


async def test_a_hidden_image_is_never_selected(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        widget = screen.query_one(ExplorerMap)
        for keys, wanted in (("3", {3}), ("37", {7}), ("ah", None)):
            await pilot.press("a", *keys)
            await pilot.pause()
            scene = widget.scene
            assert scene is not None and widget.selected is not None
            assert scene.visible[widget.selected]
            values = set(np.asarray(scene.coloring.values)[scene.visible].tolist())
            assert wanted is None or values == wanted
            label = int(scene.coloring.values[widget.selected])
            await until(pilot, lambda label=label: f"label {label}" in facts(screen))  # type: ignore[misc]
    writer.close()


async def test_the_film_strip_is_scrubbed_with_the_mouse(tmp_path: Path) -> None:
    writer = digits_run(tmp_path, steps=(60, 120, 180))
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        film = screen.query_one(FilmStrip)
        await until(pilot, lambda: "step 180" in film.render_line(HEIGHT - 1).text)
        assert screen._time.step is None
        await pilot.mouse_down(FilmStrip, offset=(WIDTH + 2, 1))
        await until(pilot, lambda: "2/3" in line(screen))
        await pilot.hover(FilmStrip, offset=(3, 1))
        await pilot.mouse_up(FilmStrip, offset=(3, 1))
        await until(pilot, lambda: "1/3" in line(screen))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "2/3" in line(screen))
        await until(pilot, lambda: bool(screen._map.scene and screen._map.scene.rods))
        await pilot.press("E")
        assert not film.display
        await until(pilot, lambda: not (screen._map.scene and screen._map.scene.rods))
        await pilot.press("q")
        board = await dashboard(pilot)
        strip = board.query_one(FilmStrip)
        assert not strip.display
        await pilot.press("E")
        await until(pilot, lambda: "step 60" in strip.render_line(HEIGHT - 1).text)
        await pilot.click(FilmStrip, offset=(3, 1))
        title = board.query_one("#map")
        await until(pilot, lambda: "step 60" in str(title.border_title))
    writer.close()


async def test_a_low_screen_keeps_its_room_for_the_map(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        screen = await explorer(pilot)
        assert not screen.query_one(FilmStrip).display
        await pilot.press("E")
        film = screen.query_one(FilmStrip)
        assert film.display
        await until(pilot, lambda: film.region.height > 0)
        panel = screen.query_one(PointPanel)
        assert screen._map.region.right == panel.region.x and panel.region.right == 80
        await pilot.press("q")
        board = await dashboard(pilot)
        await pilot.press("E")
        await until(pilot, lambda: board.query_one(FilmStrip).region.height > 0)
        assert board.query_one(RunPanels).region.width == 80
    writer.close()
