"""The footer shows a screen's keys as they are now, whole, and Help and Back whatever happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Button

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, all_drawn, until
from tui_latent.tui.app import LatentApp
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.dialogs.help import HelpScreen
from tui_latent.tui.widgets.key_footer import FooterItem, KeyFooter, footer_line


def item(key: str, label: str, place: int = 0) -> FooterItem:
    return FooterItem(((key, key, label, True),), label, place)


def shown(screen: DashboardScreen) -> str:
    return screen.query_one(KeyFooter).render().plain


ITEMS = [item("s", "Stop"), item("l", "Explore"), item("?", "Help", 1), item("x", "Report")]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (36, "s Stop  l Explore  x Report   ? Help"),
        (35, "s Stop  l Explore  x Report  ? Help"),
        (34, "s Stop  l Explore           ? Help"),
        (24, "s Stop  x Report  ? Help"),
        (14, "s Stop  ? Help"),
        (6, "? Help"),
    ],
)
def test_items_are_whole_or_absent_and_help_stays(width: int, line: str) -> None:
    assert footer_line(ITEMS, width).plain == line


@pytest.mark.slow
async def test_it_follows_the_state_of_the_run_and_is_not_drawn_again_by_the_focus(
    tmp_path: Path,
) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: "space Pause" in shown(screen))
        screen.query_one("#knn").focus()
        await until(pilot, lambda: pilot.app.focused is screen.query_one("#knn"))
        await pilot.pause()
        before = screen.query_one(KeyFooter)._line
        screen.query_one("#loss").focus()  # it has the same keys
        await until(pilot, lambda: pilot.app.focused is screen.query_one("#loss"))
        await pilot.pause()
        assert screen.query_one(KeyFooter)._line is before
        states = (
            *(("stopped", "r Resume"), ("running", "space Pause")),
            *(("paused", "space Continue"), ("running", "space Pause")),
        )
        for state, offered in states * 2:
            writer.status(state=state)
            await until(pilot, lambda offered=offered: offered in shown(screen))  # type: ignore[misc]
    writer.close()


@pytest.mark.slow
async def test_a_click_presses_the_key(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: "? Help" in shown(screen))
        at = shown(screen).index("? Help")
        await pilot.click(KeyFooter, offset=(at + 1, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
    writer.close()


class Fields(BaseScreen[None]):
    """Two fields, of which the second has a key more, and a greyed key."""

    BINDINGS = [Binding("f8", "grow", "Grow"), Binding("f9", "shrink", "Shrink")]
    grown = reactive(False, bindings=True)

    def compose(self) -> ComposeResult:
        yield Button("One")
        yield Two("Two")
        yield KeyFooter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "shrink" or self.grown

    def action_grow(self) -> None:
        self.grown = True

    def action_shrink(self) -> None:
        self.grown = False


class Two(Button):
    BINDINGS = [Binding("f7", "app.bell", "Ring")]


async def test_the_keys_are_collected_once_a_key_press(monkeypatch: pytest.MonkeyPatch) -> None:
    collect, collected = Screen.__dict__["active_bindings"].fget, []

    def noted(screen: Screen[Any]) -> Any:
        collected.append(screen)
        return collect(screen)

    app = App[None]()
    async with app.run_test() as pilot:
        screen = Fields()
        await app.push_screen(screen)
        await pilot.pause()
        monkeypatch.setattr(Screen, "active_bindings", property(noted))
        for key, shown in (
            ("tab", ["f7", "Ring", "f8", "Grow"]),
            ("f8", ["f7", "Ring", "f8", "Grow", "f9", "Shrink"]),
            ("tab", ["f8", "Grow", "f9", "Shrink"]),
            ("f9", ["f8", "Grow"]),
            ("x", ["f8", "Grow"]),
        ):
            collected.clear()
            await pilot.press(key)
            await pilot.pause()
            assert screen.query_one(KeyFooter).render().plain.split() == shown
            assert len(collected) <= 1


async def test_a_change_as_the_focus_moves_is_shown() -> None:
    app = App[None]()
    async with app.run_test() as pilot:
        screen = Fields()
        await app.push_screen(screen)
        await pilot.pause()
        screen.query_one(Two).focus()
        screen.query_one(Button).focus()
        screen.grown = True
        await pilot.pause()
        assert "Shrink" in screen.query_one(KeyFooter).render().plain


@pytest.mark.slow
async def test_the_menu_names_one_key_to_quit_by(tmp_path: Path) -> None:
    async with LatentApp(tmp_path).run_test(size=(200, 55)) as pilot:

        def footer() -> str:
            return pilot.app.screen.query_one(KeyFooter).render().plain

        await until(pilot, lambda: "q Quit" in footer())
        assert footer().count("Quit") == 1
        assert footer().endswith("? Help  q Quit")
