"""Every widget learns that it is shown, and its size, whatever was looked up in between."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from tests.tui.pilots import until
from tui_latent.tui.screens.base import BaseScreen


class _Noting(Widget):
    """Notes what it is told."""

    DEFAULT_CSS = "_Noting { height: 3; }"

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def on_show(self, event: events.Show) -> None:
        self.told.append("shown")

    def on_resize(self, event: events.Resize) -> None:
        self.told.append(f"{event.size.height} lines")


class _Panels(BaseScreen[None]):
    def compose(self) -> ComposeResult:
        yield _Noting()


class _PanelsApp(App[None]):
    def get_default_screen(self) -> Screen[None]:
        return _Panels()


@pytest.mark.parametrize("looked_up", [True, False])
async def test_a_widget_is_told_of_its_place_also_after_a_look_up(looked_up: bool) -> None:
    app = _PanelsApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen, panel = app.screen, app.screen.query_one(_Noting)
        await until(pilot, lambda: panel.told == ["3 lines", "shown"])

        def change(name: str, value: object) -> None:
            screen._compositor.reflow_visible(screen, screen.size)  # as a scroll does
            setattr(panel.styles, name, value)
            if looked_up:
                assert screen._compositor.full_map

        change("display", "none")
        await pilot.pause()
        change("display", "block")
        await until(pilot, lambda: panel.told[2:] == ["3 lines", "shown"])
        change("height", 5)
        await until(pilot, lambda: panel.told[4:] == ["5 lines"])
        await pilot.pause()
        assert len(panel.told) == 5
