"""A key pressed ten times shows one notice, in which no name breaks in the middle of a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.notifications import Notification
from textual.widgets._toast import Toast

from tests.tui.menus import NotingApp
from tests.tui.pilots import MenulessApp, screen_text, until
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.notices import RATE_TITLE, outdated
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.run_table import RunTable


def test_the_same_words_and_the_rate_take_the_place_of_earlier_ones() -> None:
    saved = Notification("Saving a checkpoint")
    other = Notification("Deleted a run")
    rate = Notification("lr 1e-3 → 2e-3", RATE_TITLE)
    shown = [saved, other, rate]
    assert outdated(shown, Notification("Saving a checkpoint")) == [saved]
    assert outdated(shown, Notification("lr 2e-3 → 4e-3", RATE_TITLE)) == [rate]
    assert outdated(shown, Notification("Saving a checkpoint", "Failed")) == []


NAMES = (
    "20261126-091500-digits-contrastive-2d",
    "20261126-091500-mnist-vicreg-with-a-name-that-somebody-made-longer-than-a-line",
    "/home/somebody/experiments/runs/20261126-091500-digits-vicreg-2d/reports/step-0000720.png",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_name_breaks_only_between_its_parts(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.notify(f"{name} is archived. A shows it, a brings it back.", markup=False)
        await until(pilot, lambda: bool(app.screen.query(Toast)))
        toast = app.screen.query_one(Toast)
        await until(pilot, lambda: toast.size.height > 0)
        lines = [strip.text for strip in toast.render_lines(toast.outer_size.region)]
    written = [line.strip("▌█ ") for line in lines]
    shown = "".join(f"{line}" if line[-1:] in "/-_." else f"{line} " for line in written if line)
    assert shown.strip() == f"{name} is archived. A shows it, a brings it back.", written


@pytest.mark.slow
@pytest.mark.parametrize("runs", [True, False], ids=["runs", "presets"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_over_the_menu_a_notice_leaves_free_what_is_used(
    tmp_path: Path, size: tuple[int, int], runs: bool
) -> None:
    RunWriter.create(tmp_path, "digits", {}, {}, "20261126-091500-digits-2d").close()
    app = NotingApp(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        table = app.screen.query_one(RunTable)
        await until(pilot, lambda: bool(table._all))
        if runs:
            await pilot.press("tab")
        used = table if runs else app.screen.query_one(PresetList)
        await until(pilot, lambda: used.has_focus_within)
        app.notify("Finished in 1 min. Good: kNN@20 0.978.", title=next(tmp_path.iterdir()).name)
        await until(pilot, lambda: bool(app.screen.query(Toast)))
        toast = app.screen.query_one(Toast)
        await until(pilot, lambda: toast.region.area > 0)
        assert not toast.region.overlaps(used.region)
        await pilot.press("tab")
        other = app.screen.query_one(PresetList) if runs else table
        await until(pilot, lambda: not toast.region.overlaps(other.region))


async def test_a_notice_is_shown_once_when_a_dialog_opens_over_it(tmp_path: Path) -> None:
    RunWriter.create(tmp_path, "digits", {}, {}, "a-run").close()
    app = NotingApp(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.screen.query_one(RunTable).run is not None)
        await pilot.press("tab")
        app.notify("A run is number 3 in the queue.", timeout=600)
        await until(pilot, lambda: "number 3" in screen_text(pilot))
        menu = app.screen
        await pilot.press("Q")
        await until(pilot, lambda: app.screen is not menu and "number 3" in screen_text(pilot))
        await until(pilot, lambda: not menu.query(Toast))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is menu and "number 3" in screen_text(pilot))


async def test_a_low_terminal_gives_a_notice_only_the_lines_of_its_words(tmp_path: Path) -> None:
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.notify("Saved.")
        await until(pilot, lambda: bool(app.screen.query(Toast)))
        toast = app.screen.query_one(Toast)
        await until(pilot, lambda: toast.region.height == 1)
