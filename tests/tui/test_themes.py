"""A switch between a dark and a light theme, while a screen is open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.color import Color
from textual.color import Color as ThemeColor
from textual.widgets import Static

from tests.made_sweeps import made_sweep
from tests.test_palettes import contrast
from tests.tui.made_runs import clusters, new_run, running, write_records
from tests.tui.pilots import MenulessApp, all_drawn, until
from tui_latent.palettes import class_color, css_color, palette, run_colors
from tui_latent.tui.screens.compare.screen import CompareScreen
from tui_latent.tui.screens.compare.tables import RunNames
from tui_latent.tui.screens.dashboard.confusion_panel import ConfusionPanel
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.screens.sweep.screen import SweepScreen
from tui_latent.tui.time_cursor import TimeCursor

LIGHT = "textual-light"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    writer = new_run(tmp_path, "one")
    writer.lock()
    write_records(writer)
    writer.latent_map(clusters(200, 10), np.diag(np.full(10, 20)))
    running(writer, state="finished", step=2400)
    writer.close()
    return writer.path


async def test_the_classes_get_the_colours_of_the_new_theme(run: Path) -> None:
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(170, 45)) as pilot:
        screen = await all_drawn(pilot)
        panel = screen.query_one(ConfusionPanel)

        def colors() -> set[Color | None]:
            lines = (panel.render_line(y) for y in range(panel.content_size.height))
            return {part.style.color for line in lines for part in line if part.style}

        dark, light = (Color.from_rgb(*class_color(0, dark)) for dark in (True, False))
        await until(pilot, lambda: dark in colors())
        app.theme = LIGHT
        await until(pilot, lambda: light in colors() and dark not in colors())


async def test_the_words_about_a_point_get_the_colour_of_the_new_theme(run: Path) -> None:
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(ExplorerScreen(run, app.drawer, TimeCursor()))

        def styles() -> str:
            facts = app.screen.query("#facts").results(Static)
            return str(
                [span.style for each in facts for span in getattr(each.content, "spans", ())]
            )

        def shown(dark: bool) -> bool:
            return any(css_color(class_color(index, dark)) in styles() for index in range(10))

        await until(pilot, lambda: shown(True))
        app.theme = LIGHT
        await until(pilot, lambda: shown(False))


@pytest.mark.parametrize("presses", [0, 1], ids=["heat map", "lines across settings"])
async def test_the_picture_of_a_sweep_gets_the_ramp_of_the_new_theme(
    tmp_path: Path, presses: int
) -> None:
    rates, dims = (0.01, 0.1, 1.0), (2, 3, 10)
    found = {(dim, rate, 0): 0.1 + dim / 20 - rate / 10 for dim in dims for rate in rates}
    path = made_sweep(tmp_path, found)
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(SweepScreen(path, app.drawer))
        picture = app.screen.query_one("#picture Static", Static)
        await until(pilot, lambda: "0.01" in str(picture.content))
        await pilot.press(*["X"] * presses)
        await pilot.pause()

        def shown(dark: bool) -> bool:
            styles = str([span.style for span in getattr(picture.content, "spans", ())])
            return any(css_color(color) in styles for color in palette(dark).ramp)

        assert shown(True) and not shown(False)
        app.theme = LIGHT
        await until(pilot, lambda: shown(False) and not shown(True))


async def test_compared_runs_get_the_colours_of_the_new_theme(run: Path) -> None:
    other = new_run(run.parent, "two")
    other.lock()
    write_records(other)
    running(other, state="finished", step=2400)
    other.close()
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(CompareScreen([run, other.path], app.drawer))
        names = app.screen.query_one(RunNames)

        def shown(dark: bool) -> bool:
            styles = str([span.style for span in getattr(names.content, "spans", ())])
            return all(css_color(c) in styles for c in run_colors(("one", "two"), dark).values())

        await until(pilot, lambda: shown(True))
        app.theme = LIGHT
        await until(pilot, lambda: shown(False))


@pytest.mark.parametrize("theme", ["textual-light", "catppuccin-latte", "atom-one-light"])
def test_the_accent_of_a_light_theme_can_be_read(tmp_path: Path, theme: str) -> None:
    app = MenulessApp(tmp_path)
    app.theme = theme
    variables = app.get_css_variables()
    for behind in ("panel", "surface", "background"):
        for front in ("accent", "text-accent"):
            pair = [ThemeColor.parse(variables[name]).rgb for name in (front, behind)]
            assert contrast(*pair) > 4.5, (front, behind)
