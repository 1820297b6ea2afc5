"""The page of a sweep: progress, table, pictures, maps, and the way to its best run."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.made_sweeps import made_sweep
from tests.tui.pilots import MenulessApp, notes, panel_text, until
from tui_latent.palettes import RAMP_GLYPHS
from tui_latent.preferences.kept import Kept
from tui_latent.tui.app import LatentApp
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.sweep.maps import SweepMaps
from tui_latent.tui.screens.sweep.screen import SweepHead, SweepScreen
from tui_latent.tui.widgets.line_list import LineList
from tui_latent.tui.widgets.table_panel import TablePanel

FIGURES: dict[tuple[Any, ...], float | None] = {
    (dim, rate, seed): 0.5 + 0.04 * dim - rate + 0.01 * seed * (dim - 2)
    for dim in (2, 3, 10)
    for rate in (0.01, 0.1)
    for seed in (0, 1)
}
WIDE, NARROW = (120, 40), (80, 24)


async def opened(pilot: Pilot[int], path: Path) -> SweepScreen:
    app = pilot.app
    assert isinstance(app, LatentApp)
    app.open_run(path, over=True)
    await until(pilot, lambda: isinstance(app.screen, SweepScreen))
    screen = app.screen
    assert isinstance(screen, SweepScreen)
    await until(pilot, lambda: screen.query_one(LineList).count > 0)
    return screen


def lines(screen: SweepScreen) -> list[str]:
    table = screen.query_one(LineList)
    return [table.text(index) for index in range(table.count)]


def picture(screen: SweepScreen) -> str:
    panel = screen.query_one("#picture", TablePanel)
    return f"{panel.border_title}\n{panel.query_one(Static).content}"


async def test_the_best_settings_come_first_and_open_their_best_run(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    app = MenulessApp(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        rows = lines(screen)
        assert len(rows) == 6 and rows[0].split()[:2] == ["10", "0.01"]
        assert ".930" in rows[0] and "2 of 2" in rows[0]
        head = str(screen.query_one(SweepHead).content)
        assert "finished" in head and "12 of 12" in head
        await pilot.press("a")
        assert len(lines(screen)) == 12
        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        dashboard = app.screen
        assert isinstance(dashboard, DashboardScreen)
        assert dashboard.path.name == "latent_dim_10-lr_0.01-seed_1"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_sorting_and_another_metric_reorder_the_table(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        await pilot.press("S")
        assert [row.split()[0] for row in lines(screen)] == ["2", "2", "3", "3", "10", "10"]
        await pilot.press("n")
        head = screen.query_one("#head", Static)
        await until(pilot, lambda: "mean loss" in str(head.content))


async def test_how_a_sweep_was_shown_is_kept(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    for keys in (("S", "n", "a"), ()):
        app = MenulessApp(tmp_path, kept=Kept(None, tmp_path / "cache"))
        async with app.run_test(size=WIDE) as pilot:
            screen = await opened(pilot, path)
            await pilot.press(*keys)
            head = screen.query_one("#head", Static)
            await until(pilot, lambda head=head: "loss" in str(head.content))  # type: ignore[misc]
            await until(pilot, lambda screen=screen: len(lines(screen)) == 12)  # type: ignore[misc]
            assert [row.split()[0] for row in lines(screen)] == ["2"] * 4 + ["3"] * 4 + ["10"] * 4


async def test_a_metric_that_no_run_has_is_not_ranked_by(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    app = MenulessApp(tmp_path, kept=Kept(None, tmp_path / "cache"))
    app.kept.keep_view(path, "sweep", {"metric": "train/other"})
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        assert "mean kNN@20" in str(screen.query_one("#head", Static).content)


async def test_a_click_on_a_title_sorts_by_its_column_and_another_one_as_before(
    tmp_path: Path,
) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        best = lines(screen)
        head = screen.query_one("#head", Static)
        place = str(head.content).index("latent_dim") + 2
        await pilot.click("#head", offset=(place, 0))
        await until(pilot, lambda: lines(screen) != best)
        assert [line.split()[0] for line in lines(screen)] == ["2", "2", "3", "3", "10", "10"]
        await pilot.click("#head", offset=(place, 0))
        await until(pilot, lambda: lines(screen) == best)


async def test_the_next_column_to_sort_by_is_one_that_is_shown(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=(64, 24)) as pilot:
        screen = await opened(pilot, path)
        table, titles = screen.query_one("#runs"), []
        await pilot.press("S")
        while "by best" not in str(table.border_title):
            titles.append(str(table.border_title).partition("by ")[2])
            await pilot.press("S")
        await pilot.press("S")
        again = str(table.border_title).partition("by ")[2]
        assert titles and again == titles[0], "hidden ones would change nothing"


async def test_settings_keep_apart_in_a_narrow_picture(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        await pilot.press("X", "X")
        await until(pilot, lambda: "range of the seeds" in picture(screen))
        rows = [row for row in picture(screen).splitlines() if "●" in row]
        labels = {row.split("●")[0].strip(" ├─") for row in rows}
        assert len(labels) == len(rows) == 6
        assert all("…" not in label for label in labels)


async def test_pictures_change_and_the_maps_are_there(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        await until(pilot, lambda: "latent_dim by lr" in picture(screen))
        assert ".930" in picture(screen) and "each: mean of 2 runs" in picture(screen)
        await pilot.press("X")
        assert "across all settings" in picture(screen)
        ends = f"{picture(screen).splitlines()[2]} {picture(screen).splitlines()[-1]}".split()
        assert sorted(ends) == [".480", ".930", "0.01", "0.1", "10", "2"], "settings as written"
        await pilot.press("X")
        assert "range of the seeds" in picture(screen)
        means = [line.split()[-1] for line in picture(screen).splitlines() if "●" in line]
        assert means[0] == ".930" and all(len(mean) == 4 for mean in means), means
        await until(
            pilot, lambda: sum(panel.scene is not None for panel in screen.query(ScatterPanel)) >= 4
        )


async def test_without_colour_a_mark_does_not_touch_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        await until(pilot, lambda: "latent_dim by lr" in picture(screen))
        best = f"{RAMP_GLYPHS[4]} .930"
        assert best in picture(screen) and "..9" not in picture(screen)


async def test_maps_use_the_room_that_they_have(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=(200, 55)) as pilot:
        screen = await opened(pilot, path)
        maps = screen.query_one(SweepMaps)
        await until(pilot, lambda: sum(p.display for p in maps.query(ScatterPanel)) > 1)
        count = sum(panel.display for panel in maps.query(ScatterPanel))
        await pilot.press("tab", "tab", "f")
        await until(pilot, lambda: maps.size.height > 40)
        shown = [panel for panel in maps.query(ScatterPanel) if panel.display]
        await until(pilot, lambda: len({panel.region.y for panel in shown}) > 1)
        assert len(shown) >= count


async def test_a_sweep_that_has_just_begun_says_what_will_come(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1, 0): None, (3, 0.1, 0): None}, state="starting")
    async with MenulessApp(tmp_path).run_test(size=NARROW) as pilot:
        screen = await opened(pilot, path)
        assert "No run has finished" in str(screen.query_one(SweepHead).content)
        await pilot.press("B")
        assert "No run has finished with a value of kNN@20 yet" in notes(pilot)
        await pilot.press("enter")
        assert "has not started yet" in notes(pilot)


async def test_a_sweep_whose_runs_all_failed_promises_nothing(tmp_path: Path) -> None:
    failed = {(2, 0.1, 0): math.nan, (3, 0.1, 0): math.nan}
    path = made_sweep(tmp_path, failed, state="failed")
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        said = "No run has finished with a value of kNN@20: 2 of 2 failed."
        assert said in str(screen.query_one(SweepHead).content)
        assert "There is nothing to draw" in picture(screen)
        maps = screen.query_one(SweepMaps)
        await until(pilot, lambda: str(maps.border_title) == "Maps")
        await until(
            pilot, lambda: "There are no maps: no run has been" in panel_text(screen, "map-0")
        )
        await pilot.press("B")
        assert said in notes(pilot).replace("\n", " ")
        await pilot.press("s")
        assert "sweep-made is not running: there is nothing to stop." in notes(pilot).replace(
            "\n", " "
        )


async def test_a_key_brings_up_the_panel_that_it_changes(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    async with MenulessApp(tmp_path).run_test(size=NARROW) as pilot:
        screen = await opened(pilot, path)

        def seen() -> list[str | None]:
            return [panel.id for panel in screen.query("#panels > *") if panel.display]

        await pilot.press("tab", "tab")
        assert seen() == ["maps"]
        for key, panel in (("a", "runs"), ("X", "picture"), ("S", "runs")):
            await pilot.press(key)
            assert seen() == [panel], key
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, path)
        await pilot.press("tab", "tab", "f")
        await pilot.press("X")
        assert screen.query_one("#picture").display


async def test_a_folder_that_is_lost_is_reported(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, {(2, 0.1, 0): 0.5})
    async with MenulessApp(tmp_path).run_test(size=NARROW) as pilot:
        await opened(pilot, path)
        path.rename(tmp_path / "gone")
        await until(pilot, lambda: "not a sweep" in notes(pilot))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_page(size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]) -> None:
    path = made_sweep(tmp_path, FIGURES)

    async def ready(pilot: Pilot[int]) -> None:
        screen = await opened(pilot, path)
        await until(pilot, lambda: "latent_dim by lr" in picture(screen) or size == NARROW)
        if size == WIDE:
            await until(
                pilot,
                lambda: sum(p.scene is not None for p in screen.query(ScatterPanel)) >= 4,
            )
            await pilot.pause(0.5)

    assert snap_compare(MenulessApp(tmp_path), terminal_size=size, run_before=ready)


async def test_small_maps_have_titles_that_differ(tmp_path: Path) -> None:
    path = made_sweep(tmp_path, FIGURES)
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(104, 40)) as pilot:
        screen = await opened(pilot, path)
        maps = screen.query_one(SweepMaps)
        await until(pilot, lambda: "by latent_dim · lr" in str(maps.border_title))
        shown = [panel for panel in maps.query(ScatterPanel) if panel.display]
        await until(pilot, lambda: all(panel.border_title for panel in shown))
        titles = [str(panel.border_title) for panel in shown]
        assert titles[0].startswith("10 · 0.01") and len(set(titles)) == len(titles) > 2
