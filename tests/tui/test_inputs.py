"""Every text field shows what is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tests.tui.evaluations import evaluation
from tests.tui.known_images import KnownImages, KnownLandings, known_distant
from tests.tui.made_runs import trained_run
from tests.tui.menus import NotingApp, menu, presets
from tests.tui.pilots import MenulessApp, screen_text, until
from tui_latent import analysis
from tui_latent.config.presets import load_preset
from tui_latent.runs.evaluations import write_evaluation
from tui_latent.tui.screens.evaluation.screen import EvaluationScreen
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.screens.images.screen import ViewerScreen
from tui_latent.tui.screens.menu.preset_facts import read_entries
from tui_latent.tui.screens.settings.screen import SettingsScreen

__all__ = ["presets"]

SIZES = [(80, 24), (120, 40)]


async def typed(pilot: Pilot[Any], keys: tuple[str, ...], text: str) -> None:
    """Type a text into the field that some keys lead to, and see it on the screen."""
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(pilot.app.screen.focused, Input))
    field = pilot.app.screen.focused
    assert isinstance(field, Input)
    await pilot.press(*text)
    assert field.value.endswith(text) and field.content_size.height == 1
    await until(pilot, lambda: text in screen_text(pilot))
    row = screen_text(pilot).splitlines()[field.content_region.y]
    assert text in row[field.content_region.x :]


@pytest.mark.parametrize("size", SIZES)
async def test_the_menus_filter(tmp_path: Path, presets: Path, size: tuple[int, int]) -> None:
    async with NotingApp(tmp_path / "runs").run_test(size=size) as pilot:
        await menu(pilot)
        await typed(pilot, ("slash",), "cifar")


@pytest.mark.parametrize("size", SIZES)
async def test_the_form(tmp_path: Path, presets: Path, size: tuple[int, int]) -> None:
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        entry = next(entry for entry in read_entries() if entry.name == "digits-contrastive-2d")
        form = SettingsScreen(entry.name, entry.table, load_preset(entry.name), tmp_path)
        await app.push_screen(form)
        await typed(pilot, ("down",) * 3, "77")
        await typed(pilot, ("ctrl+f",), "weight")
        await pilot.press("escape")
        app.screen.set_focus(app.screen.query_one("#name", Input))
        await typed(pilot, (), "a name")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("make", "keys", "text"),
    [
        (ExplorerScreen, ("slash",), "#300"),
        (EvaluationScreen, ("u",), "folder:/data"),
        (ViewerScreen, ("slash",), "27"),
    ],
)
async def test_the_boxes_of_a_runs_screens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    make: Callable[..., Screen[None]],
    keys: tuple[str, ...],
    text: str,
) -> None:
    monkeypatch.setattr(analysis, "RunInspector", KnownImages)
    monkeypatch.setattr("tui_latent.analysis.view_spread.ViewSpreads", KnownLandings)
    monkeypatch.setattr("tui_latent.analysis.class_extremes.most_distant", known_distant)
    writer = trained_run(tmp_path)
    writer.close()
    write_evaluation(writer.path, 720, evaluation())
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        await app.push_screen(make(writer.path, app.drawer))
        ready = "step 720 · evaluated" if make is EvaluationScreen else "720"
        ready = "×12" if make is ViewerScreen else ready
        await until(pilot, lambda: ready in screen_text(pilot))
        await typed(pilot, keys, text)
