"""What a failed run offers when it is resumed, and what its log opens at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from tests.tui.made_runs import ScriptedTrainer
from tests.tui.pilots import MenulessApp, dashboard, notes, until
from tests.tui.screens.dialogs.live_runs import NAME, live_run, opened, text_of
from tui_latent.tui.screens.dialogs.choice import ChoiceScreen
from tui_latent.tui.screens.dialogs.log import LogScreen, error_line
from tui_latent.tui.screens.settings.screen import SettingsScreen

ERROR = "info_nce became nan at step 717: go on at half the learning rate"
LOG = ["13:00 it begins", "13:01 step 700", "13:02 failed: " + ERROR]


def failed_run(runs: Path, checkpoints: tuple[int, ...] = ()) -> Path:
    writer = live_run(runs, checkpoints)
    (writer.path / "train.log").write_text("\n".join(LOG) + "\n")
    writer.status(state="failed", error=ERROR, phase="", step=717)
    writer.close()
    return writer.path


async def asked(pilot: Pilot[Any], path: Path) -> ChoiceScreen:
    screen = await opened(pilot, "r", path)
    assert isinstance(screen, ChoiceScreen)
    return screen


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_failed_run_says_why_and_offers_four_ways_on(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = failed_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=path)
    async with app.run_test(size=size) as pilot:
        screen = await asked(pilot, path)
        assert text_of(screen, "#question") == f"{NAME} failed: {ERROR}"
        choices = screen.query_one(OptionList)
        ids = [choices.get_option_at_index(n).id for n in range(choices.option_count)]
        assert ids == ["retry", "resume", "edit", "log"]
        assert choices.region.bottom < screen.query_one("#keys").region.bottom <= size[1]
        assert choices.max_scroll_y == 0
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)


async def test_retry_prepares_the_run_and_trains_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, prepared = failed_run(tmp_path), list[Path]()
    monkeypatch.setattr("tui_latent.launch.retry.prepare_retry", prepared.append)
    trainer = ScriptedTrainer(3)
    async with MenulessApp(tmp_path, open_path=path, train=trainer).run_test(
        size=(120, 40)
    ) as pilot:
        await asked(pilot, path)
        await pilot.press("enter")
        await until(pilot, lambda: trainer.trained == [path])
        assert prepared == [path]


async def test_a_retry_that_is_not_possible_is_reported(tmp_path: Path) -> None:
    path = failed_run(tmp_path, (600, 700))  # both empty files
    trainer = ScriptedTrainer(3)
    async with MenulessApp(tmp_path, open_path=path, train=trainer).run_test(
        size=(120, 40)
    ) as pilot:
        await asked(pilot, path)
        await pilot.press("enter")
        await until(pilot, lambda: "no checkpoint is good" in notes(pilot))
        assert trainer.trained == []


async def test_it_can_be_resumed_as_it_was(tmp_path: Path) -> None:
    path, trainer = failed_run(tmp_path), ScriptedTrainer(3)
    async with MenulessApp(tmp_path, open_path=path, train=trainer).run_test(
        size=(120, 40)
    ) as pilot:
        await asked(pilot, path)
        await pilot.press("down", "enter")
        await until(pilot, lambda: trainer.trained == [path])


@pytest.mark.parametrize("by_key", [True, False])
async def test_its_settings_open_in_the_form_for_a_new_run(tmp_path: Path, by_key: bool) -> None:
    path = failed_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=path).run_test(size=(120, 40)) as pilot:
        if by_key:
            await dashboard(pilot)
            await pilot.press("e")
        else:
            await asked(pilot, path)
            await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
        await until(pilot, lambda: bool(pilot.app.screen.query("#help")))
        said, about = (pilot.app.screen.query_one(name, Static) for name in ("#count", "#help"))
        assert str(said.content) == "as in the run", "its preset may have other values"
        assert "in the run: mnist" in str(about.content)


async def test_the_log_opens_at_the_error(tmp_path: Path) -> None:
    path = failed_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=path).run_test(size=(120, 40)) as pilot:
        await asked(pilot, path)
        await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LogScreen))
        screen = pilot.app.screen
        assert isinstance(screen, LogScreen)
        assert text_of(screen, "#error") == LOG[-1]
        assert text_of(screen, "#before") == "\n".join(LOG[:-1])
        assert "Esc closes" in str(screen.query_one("VerticalScroll").border_subtitle)
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is not screen)


def test_the_newest_error_begins_at_its_traceback() -> None:
    trace = "Traceback (most recent call last):"
    lines = ["a", trace, "x", "failed: one", "b", trace, "y", "failed: two", "c"]
    assert error_line(lines) == 5
    assert error_line(["a", "failed: one", "b"]) == 1
    assert error_line(["a", trace, "x", "failed: one", "b", "failed: two"]) == 5
    assert error_line(["a", "b"]) == 2
