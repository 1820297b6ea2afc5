"""The mixing desk on a live run, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tests.tui.pilots import MenulessApp, dashboard, notes, screen_text, until
from tests.tui.screens.dialogs.live_runs import live_run, opened, text_of
from tui_latent.runs.control import read_request
from tui_latent.runs.events import new_event
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.screens.dialogs.choice import ChoiceScreen
from tui_latent.tui.screens.dialogs.desk import DeskRow, DeskScreen


def row(screen: DeskScreen, key: str) -> DeskRow:
    return next(row for row in screen.query(DeskRow) if row.row.key == key)


async def desk_on(pilot: Pilot[Any], writer: RunWriter) -> DeskScreen:
    screen = await opened(pilot, "e", writer.path)
    assert isinstance(screen, DeskScreen)
    await until(pilot, lambda: bool(screen.query(Input)))
    return screen


async def typed(pilot: Pilot[Any], text: str) -> None:
    names = {".": "full_stop", "-": "minus"}
    await pilot.press(*(names.get(character, character) for character in text))


@pytest.mark.parametrize("size", [(60, 20), (60, 24), (80, 24), (120, 40), (200, 55)])
async def test_every_line_of_the_desk_is_seen_at_every_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=size) as pilot:
        screen = await desk_on(pilot, writer)
        assert "step 720" in text_of(screen, "#state")
        box = screen.query_one(VerticalScroll).parent.region  # type: ignore[union-attr]
        assert box.bottom <= size[1]
        for place in ("#state", "#head", "#told", "#keys"):
            region = screen.query_one(place).region
            assert region.height >= 1 and region.bottom < box.bottom
        keys = text_of(screen, "#keys")
        assert keys == "Enter: change · ctrl+r: preset · ctrl+z: undo · Esc: close"
        assert all(f" {word}" in screen_text(pilot) for word in ("change", "preset", "undo"))
        assert "close" in screen_text(pilot)
        first = screen.query(DeskRow).first()
        assert first.query_one(Input).size.height == 1
    writer.close()


async def test_a_click_on_a_setting_goes_to_its_value(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await desk_on(pilot, writer)
        wanted = row(screen, "method.norm_weight")
        for place in (".key", ".help"):
            screen.set_focus(row(screen, "stages.2.lr").query_one(Input))
            await pilot.click(wanted.query_one(place))
            await until(pilot, lambda: wanted.has_focus_within)
            assert text_of(screen, "#told").startswith("method.norm_weight")
    writer.close()


async def test_a_value_that_is_typed_is_asked_of_the_trainer(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await desk_on(pilot, writer)
        assert [row.row.key for row in screen.query(DeskRow)][:2] == [
            "stages.2.lr",  # those of stages that are over are not there
            "method.norm_weight",
        ]
        await typed(pilot, "0.25")
        assert row(screen, "stages.2.lr").row.typed
        await pilot.press("enter")
        await until(pilot, lambda: "next step" in text_of(screen, "#told"))
        wanted = read_request(writer.path).settings["stages.2.lr"]
        assert wanted.value == 0.25
        assert "stages.2.lr 0.003 → 0.25 from the next step on" in text_of(screen, "#told")
        await until(pilot, lambda: row(screen, "stages.2.lr").row.waiting)
        answer = {"setting": "stages.2.lr", "old": 0.003, "new": 0.25, "serial": wanted.serial}
        writer.event(new_event("rate", 720, "stages.2.lr 0.003 → 0.25.", **answer))
        await until(pilot, lambda: not row(screen, "stages.2.lr").row.waiting)
        assert row(screen, "stages.2.lr").row.differs
        assert row(screen, "stages.2.lr").query_one(Input).value == "0.25"
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)
    writer.close()


async def test_several_values_are_asked_for_together(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await desk_on(pilot, writer)
        for key, value in (("augment.jitter", "0.8"), ("augment.brightness", "0.4")):
            row(screen, key).query_one(Input).focus()
            await pilot.pause()
            await typed(pilot, value)
        await until(pilot, lambda: not row(screen, "augment.jitter").row.error)
        await pilot.press("enter")
        await until(pilot, lambda: len(read_request(writer.path).settings) == 2)
        wanted = read_request(writer.path).settings
        assert {key: each.value for key, each in wanted.items()} == {
            "augment.jitter": 0.8,
            "augment.brightness": 0.4,
        }
    writer.close()


async def test_what_cannot_be_is_refused_beside_it_and_not_asked_for(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await desk_on(pilot, writer)
        await typed(pilot, "-1")
        assert "greater than 0" in row(screen, "stages.2.lr").row.error
        await pilot.press("enter")
        await pilot.pause()
        assert text_of(screen, "#told").startswith("✗ stages.2.lr: should be greater than 0")
        assert read_request(writer.path).settings == {}
        await pilot.press("ctrl+r")  # the preset's value again
        await until(pilot, lambda: not row(screen, "stages.2.lr").row.typed)
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing has changed" in text_of(screen, "#told"))
    writer.close()


async def undoing(pilot: Pilot[Any], writer: RunWriter) -> None:
    """Change a setting as the trainer does, and ask to undo it."""
    changed = {"setting": "augment.noise", "old": 0.0, "new": 0.2, "who": "ada@box"}
    writer.event(new_event("change", 710, "augment.noise 0 → 0.2.", **changed))
    screen = await opened(pilot, "ctrl+z", writer.path)
    assert isinstance(screen, ChoiceScreen)
    assert "at step 710 by ada@box: augment.noise 0 → 0.2." in text_of(screen, "#question")
    choices = screen.query_one(OptionList)
    assert [choices.get_option_at_index(n).id for n in range(2)] == ["value", "checkpoint"]


async def test_the_newest_change_is_undone_by_its_value(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await undoing(pilot, writer)
        await pilot.press("enter")
        await until(pilot, lambda: "Undoing" in notes(pilot))
        wanted = read_request(writer.path)
        assert wanted.settings["augment.noise"].value == 0 and wanted.back is None
    writer.close()


async def test_the_newest_change_is_undone_to_the_checkpoint_before_it(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await undoing(pilot, writer)
        await pilot.press("down", "enter")
        await until(pilot, lambda: read_request(writer.path).back is not None)
        back = read_request(writer.path).back
        assert back is not None and (back.step, back.setting, back.value) == (
            700,
            "augment.noise",
            0,
        )
    writer.close()


async def test_without_a_change_there_is_nothing_to_undo(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: bool(pilot.app.screen._snapshot.preset))  # type: ignore[attr-defined]
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "There is no change of a setting to undo" in notes(pilot))
    writer.close()


async def test_what_was_changed_on_a_paused_run_can_be_undone(tmp_path: Path) -> None:
    writer = live_run(tmp_path, state="paused")
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await desk_on(pilot, writer)
        await typed(pilot, "0.25")
        await pilot.press("enter")
        await until(pilot, lambda: row(screen, "stages.2.lr").row.waiting)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "stages.2.lr stays 0.003" in notes(pilot))
        await until(pilot, lambda: row(screen, "stages.2.lr").query_one(Input).value == "0.003")
        assert not row(screen, "stages.2.lr").row.waiting
        assert read_request(writer.path).settings["stages.2.lr"].value == 0.003
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "There is no change of a setting to undo" in notes(pilot))
    writer.close()


async def test_what_is_being_typed_is_undone_before_anything_else(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await desk_on(pilot, writer)
        await typed(pilot, "0.25")
        await until(pilot, lambda: row(screen, "stages.2.lr").row.typed)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: not row(screen, "stages.2.lr").row.typed)
        assert row(screen, "stages.2.lr").query_one(Input).value == "0.003"
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "has the preset's value already" in text_of(screen, "#told"))
        assert "to undo" not in notes(pilot) and read_request(writer.path).settings == {}
    writer.close()


async def test_nothing_is_undone_on_a_run_that_finished_while_the_desk_was_open(
    tmp_path: Path,
) -> None:
    writer = live_run(tmp_path)
    changed = {"setting": "augment.noise", "old": 0.0, "new": 0.2}
    writer.event(new_event("change", 710, "augment.noise 0 → 0.2.", **changed))
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await desk_on(pilot, writer)
        writer.status(state="finished")
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "is finished: start from one of its" in notes(pilot))
        assert read_request(writer.path).settings == {}
    writer.close()
