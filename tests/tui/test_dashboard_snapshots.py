"""Pictures of the dashboard; look at them before accepting a change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.made_runs import new_run, running, trained_run
from tests.tui.pilots import MenulessApp, all_drawn, panel_text, until
from tui_latent.tui.screens.dialogs.help import HelpScreen

Compare = Callable[..., bool]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_live_run(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    assert snap_compare(app, terminal_size=size, run_before=all_drawn)
    writer.close()


def test_a_run_that_has_just_begun(snap_compare: Compare, tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    running(writer, step=0, epoch=0.0, seconds=0.0, state="starting", phase="loading mnist")

    async def begun(pilot: Pilot[int]) -> None:
        screen = await all_drawn(pilot)
        for panel in ("map", "knn", "space"):  # the first status had no number of steps yet
            await until(pilot, lambda panel=panel: "60." in panel_text(screen, panel))  # type: ignore[misc]

    app = MenulessApp(tmp_path, open_path=writer.path)
    assert snap_compare(app, terminal_size=(120, 40), run_before=begun)
    writer.close()


def test_a_finished_run_on_a_light_background(snap_compare: Compare, tmp_path: Path) -> None:
    writer = trained_run(tmp_path, state="finished", step=2400, epoch=40.0)
    writer.close()
    app = MenulessApp(tmp_path, open_path=writer.path)
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(120, 40), run_before=all_drawn)


def test_help(snap_compare: Compare, tmp_path: Path) -> None:
    writer = trained_run(tmp_path)

    async def open_help(pilot: Pilot[int]) -> None:
        await all_drawn(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))

    app = MenulessApp(tmp_path, open_path=writer.path)
    assert snap_compare(app, terminal_size=(80, 24), run_before=open_help)
    writer.close()
