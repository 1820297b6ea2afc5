"""Driving the application in tests: waiting for what threads bring."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Tabs

from tests.waiting import Deadline
from tui_latent.tui.app import LatentApp
from tui_latent.tui.charts.panel import ChartPanel
from tui_latent.tui.screens.dashboard.header import RunHeader
from tui_latent.tui.screens.dashboard.screen import DashboardScreen


class MenulessApp(LatentApp):
    """The application over an empty screen: for tests of what lies above the menu."""

    def get_default_screen(self) -> Screen[None]:
        return Screen()


async def until(pilot: Pilot[Any], condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Let the application run until `condition` holds, as `waiting.until` does."""
    deadline = Deadline(seconds)
    while not condition():
        assert not deadline.passed(), "waited in vain"
        await pilot.pause(0.02)
    await pilot.pause()


async def dashboard(pilot: Pilot[Any], path: Path | None = None) -> DashboardScreen:
    """Return the dashboard, of the run at `path` if one is given, as soon as it is on top."""

    def on_top() -> bool:
        screen = pilot.app.screen
        return isinstance(screen, DashboardScreen) and path in (None, screen.path)

    await until(pilot, on_top)
    screen = pilot.app.screen
    assert isinstance(screen, DashboardScreen)
    return screen


async def all_drawn(pilot: Pilot[Any]) -> DashboardScreen:
    """Return the dashboard when every panel that can be seen shows its newest drawing."""
    screen = await dashboard(pilot)

    def drawn() -> bool:
        app = pilot.app
        assert isinstance(app, LatentApp)
        panels = [panel for panel in screen.query(ChartPanel) if panel.content_size.area]
        shown = bool(header(screen)) and all(panel._drawing.strips for panel in panels)
        return shown and app.drawer.idle()

    await until(pilot, drawn)
    await pilot.pause()
    return screen


def header(screen: DashboardScreen) -> str:
    """Return the header's line."""
    return screen.query_one(RunHeader).render().plain


def panel_text(screen: Screen[Any], name: str) -> str:
    """Return what a panel shows, its title first."""
    panel = screen.query_one(f"#{name}", ChartPanel)
    lines = [str(panel.border_title)]
    return "\n".join(lines + [panel.render_line(y).text for y in range(panel.size.height)])


async def machine_shows(pilot: Pilot[Any], shown: tuple[str, ...]) -> None:
    """Wait until the machine's panel, or its tab on a narrow screen, shows all of these."""
    screen = await all_drawn(pilot)
    await until(pilot, lambda: screen._panels.has_class("-load"))
    if screen.size.width < 100:
        screen.query_one(Tabs).active = "tab-machine"
    await until(pilot, lambda: all(text in panel_text(screen, "machine") for text in shown))


def notes(pilot: Pilot[Any]) -> str:
    """Return the titles and texts of all notifications so far.

    Paths are whole: where they are broken depends on the length of the test's own folder.
    """
    shown = "\n".join(f"{note.title} {note.message}" for note in pilot.app._notifications)
    return re.sub(r"(?<=[/\-_.])\n(?=\S)", "", shown)


def screen_text(pilot: Pilot[Any]) -> str:
    """Return what a person reads: every cell of the screen on top."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
