"""What is said of the run under the cursor, where there is little room."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from tests.foreign_runs import foreign_run
from tests.tui.menus import NotingApp
from tests.tui.pilots import notes, until
from tui_latent.runs.schema import RunSummary, Status
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.screens.menu.run_preview import RunPreview, preview_lines
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.screens.menu.screen import MenuScreen


@pytest.mark.parametrize("width", [24, 30, 36, 44, 60])
@pytest.mark.parametrize("seconds", [0, 30, 120, 5000, 90_000, 9_000_000])
def test_when_a_run_was_started_is_never_broken_in_two(width: int, seconds: int) -> None:
    run = RunSummary(Path("run"), "run", "digits", Status(state="finished"), 0.0)
    lines = [line.plain for line in preview_lines(run, None, width, float(seconds))]
    assert sum("just now" in line or line.endswith(" ago") for line in lines) == 1
    assert "finished" in lines[0]
    assert all(len(line) <= width for line in lines[:2])


@pytest.mark.parametrize("width", [24, 60])
def test_a_run_that_nobody_has_begun_was_made_and_not_started(width: int) -> None:
    waiting = RunSummary(Path("run"), "run", "digits", Status("starting"), 0.0, queued=2)
    removed = RunSummary(Path("run"), "run", "digits", Status("interrupted", host="here"), 0.0)
    for run, state in ((waiting, "queued 2"), (removed, "not started")):
        text = " ".join(line.plain for line in preview_lines(run, None, width, 90.0)[:2])
        assert state in text and "made" in text
        assert "started" not in text.replace("not started", "")


@pytest.mark.slow
async def test_the_time_since_the_start_goes_on_under_the_cursor(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path, "digits", {}, {}, "a-run")
    app = NotingApp(tmp_path)
    async with app.run_test() as pilot:
        screen = app.screen
        assert isinstance(screen, MenuScreen)
        await until(pilot, lambda: bool(screen.query_one(RunTable)._all))
        await pilot.press("tab")
        words = screen.query_one(RunPreview).query_one(Static)
        created = screen.query_one(RunTable)._all[0].created
        for minutes in (2, 7):
            screen._clock = lambda minutes=minutes: created + 60.0 * minutes  # type: ignore[misc]
            screen.look_again()
            await until(pilot, lambda: f"{minutes} min ago" in str(words.content))  # noqa: B023
    writer.close()


@pytest.mark.slow
async def test_a_preview_that_fails_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign_run(tmp_path, "elsewhere")
    monkeypatch.setattr("tui_latent.verdict.judge", lambda *_: 1 / 0)
    app = NotingApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.screen.query_one(RunTable).run is not None)
        await pilot.press("tab")
        await until(pilot, lambda: "division by zero" in notes(pilot))
