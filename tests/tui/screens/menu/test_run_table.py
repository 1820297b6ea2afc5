"""The table of runs: order, filter, columns, marks, names, archive, preview."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.tui.made_runs import clusters
from tests.tui.menus import NotingApp, current_run, menu, presets, run_in, runs_text
from tests.tui.pilots import notes, until
from tui_latent.palettes import class_color
from tui_latent.preferences.kept import Kept
from tui_latent.runs.labels import change_labels, read_labels
from tui_latent.runs.schema import RunSummary
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.app import LatentApp
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.dialogs.labels import LabelsScreen
from tui_latent.tui.screens.menu.columns_dialog import ColumnsScreen
from tui_latent.tui.screens.menu.preset_pane import PresetPane
from tui_latent.tui.screens.menu.run_filter_box import RunFilterBox
from tui_latent.tui.screens.menu.run_preview import MiniMap, RunPreview
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.screens.menu.screen import MenuScreen
from tui_latent.tui.widgets.line_list import LineList

__all__ = ["presets"]

WIDE = (120, 40)


@pytest.fixture
def runs(tmp_path: Path, presets: Path) -> Path:
    folder = tmp_path / "runs"
    run_in(folder, "b-new", age=10, state="finished", step=100, knn_20=0.7, best_knn_20=0.9)
    run_in(folder, "a-mid", age=20, state="failed", knn_20=0.8, best_knn_20=0.81, loss=0.1)
    run_in(folder, "c-old", age=30, loss=3.0)
    return folder


def names(screen: MenuScreen) -> list[str]:
    """Return the names of the runs that are shown, from the top."""
    return [line.split()[2] for line in runs_text(screen).splitlines()]


def head(screen: MenuScreen) -> str:
    return str(screen.query_one(RunTable).query_one(".head", Static).content)


async def on_the_runs(pilot: Pilot[Any]) -> MenuScreen:
    screen = await menu(pilot)
    await pilot.press("tab")
    await pilot.pause()
    return screen


async def test_newest_and_best_are_told_apart(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=(80, 24)) as pilot:
        screen = await on_the_runs(pilot)
        assert "kNN@20 newest" in head(screen) and "best" in head(screen)
        assert runs_text(screen).splitlines()[0].split()[-3:] == [".700", ".900", "now"]


async def test_a_key_and_a_click_sort_by_any_column(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        table = screen.query_one(RunTable)
        assert names(screen) == ["b-new", "a-mid", "c-old"] and "↓ age" in head(screen)
        await pilot.press("S")  # round to the first column, the state
        assert table.sorted_by == ("state", False) and names(screen)[0] == "a-mid"
        place = head(screen).index("best")
        await pilot.click(table.query_one(".head"), offset=(place, 0))
        assert names(screen) == ["b-new", "a-mid", "c-old"]  # what is unknown comes last
        await pilot.click(table.query_one(".head"), offset=(place, 0))
        assert names(screen) == ["a-mid", "b-new", "c-old"] and "↑ best" in head(screen)


async def test_the_cursor_stays_on_its_run_in_another_order(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        await pilot.press("down")
        assert current_run(screen).name == "a-mid"
        await pilot.press("S")
        assert names(screen)[0] == "a-mid" and current_run(screen).name == "a-mid"


async def test_a_filter_narrows_and_a_wrong_one_is_reported_in_its_line(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        box = screen.query_one(RunFilterBox)
        told = box.query_one(".told", Static)
        await pilot.press("slash", *"knn>.75")
        assert names(screen) == ["a-mid"] and str(told.content) == "1 of 3"
        await pilot.press(*" sta:x")
        assert "There is no field 'sta'. Did you mean 'state'?" in str(told.content)
        await pilot.press("escape")
        assert len(names(screen)) == 3 and not box.display
        await pilot.press("slash", *"/new|old/", "enter", "down")
        assert isinstance(screen.focused, LineList)
        assert current_run(screen).name == "c-old"
        await pilot.press("escape")
        assert len(names(screen)) == 3


async def test_marks_are_counted_and_outlive_a_filter(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        await pilot.press("m", "m")
        assert "2 marked" in str(screen.query_one(RunTable).border_title)
        await pilot.press("slash", *"c-old", "enter")
        assert "1 of 3 · 2 marked" in str(screen.query_one(RunTable).border_title)


async def test_a_run_gets_a_name_tags_and_notes_and_keeps_its_folder(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(pilot.app.screen, LabelsScreen))
        await pilot.press(*"talk", "tab", *"x y", "tab", *"see p. 3", "enter")
        await until(pilot, lambda: "talk" in runs_text(screen))
        assert "#x #y" in runs_text(screen)
        labels = read_labels(runs / "b-new")
        assert (labels.name, labels.tags, labels.notes) == ("talk", ("x", "y"), "see p. 3")
        await pilot.press("T")
        await until(pilot, lambda: isinstance(pilot.app.screen, LabelsScreen))
        assert pilot.app.screen.query_one("#tags", Input).value == "x y"
        await pilot.press(*"junk", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert read_labels(runs / "b-new") == labels


async def test_an_archived_run_is_hidden_until_all_are_asked_for(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        await pilot.press("A")
        await until(pilot, lambda: len(names(screen)) == 2)
        assert "1 archived" in str(screen.query_one(RunTable).border_title)
        assert "a shows it, A brings it back" in notes(pilot)
        await pilot.press("a")
        assert len(names(screen)) == 3
        assert "✓ archived" in runs_text(screen)  # not by its colour alone
        screen.query_one(RunTable).choose("b-new")
        await pilot.press("A", "a")
        await until(pilot, lambda: not read_labels(runs / "b-new").archived)
        await until(pilot, lambda: len(names(screen)) == 3)


async def test_an_empty_list_says_what_hides_the_runs(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        table = screen.query_one(RunTable)
        empty = table.query_one(".empty", Static)
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: not names(screen))
        assert empty.display
        assert "No run matches 'zzz'." in str(empty.content)
        await pilot.press("escape")
        await until(pilot, lambda: len(names(screen)) == 3)
        assert not empty.display
        for left in (2, 1, 0):
            await pilot.press("A")
            await until(pilot, lambda left=left: len(names(screen)) == left)
        assert empty.display
        assert "All runs are archived. a shows them." in str(empty.content)
        await pilot.press("a")
        await until(pilot, lambda: len(names(screen)) == 3)
        assert not empty.display


async def test_a_key_lists_the_runs_of_the_next_folder(runs: Path, tmp_path: Path) -> None:
    others = tmp_path / "others"
    run_in(others, "theirs", age=5, state="finished")
    app = LatentApp(runs, other_runs=[others, tmp_path / "none"])
    async with app.run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        table = screen.query_one(RunTable)
        assert "folder 1 of 3" in str(table.border_subtitle)
        await pilot.press("O")
        await until(pilot, lambda: names(screen) == ["theirs"])
        assert f"{others} · folder 2 of 3" in str(table.border_subtitle)
        await pilot.press("O")
        empty = table.query_one(".empty", Static)
        await until(pilot, lambda: "No runs yet" in str(empty.content))
        await pilot.press("O")
        await until(pilot, lambda: len(names(screen)) == 3)
        assert app.runs == runs  # where new runs are made


async def test_with_one_folder_there_is_no_key_for_the_next(runs: Path) -> None:
    async with LatentApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        await pilot.press("O")
        assert names(screen) == ["b-new", "a-mid", "c-old"]
        assert " · folder " not in str(screen.query_one(RunTable).border_subtitle)


async def test_columns_are_chosen_and_kept(runs: Path) -> None:
    app = NotingApp(runs)
    app.kept = Kept(None, runs.parent / "cache")
    async with app.run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        assert "seed" not in head(screen)
        await pilot.press("L")
        await until(pilot, lambda: isinstance(pilot.app.screen, ColumnsScreen))
        await pilot.press(*["down"] * 7, "enter", "S", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert "↑ seed" in head(screen) or "↑seed" in head(screen)
    again = RunTable(Kept(None, runs.parent / "cache").view(None)["runs table"])
    assert again.sorted_by == ("seed", False) and "seed" in again.columns


async def test_the_run_under_the_cursor_is_previewed(runs: Path) -> None:
    writer = RunWriter.reopen(runs / "b-new")
    writer.latent_map(clusters(200, 3))
    writer.close()
    change_labels(runs / "b-new", tags=("paper",), notes="the long tail")
    changed = {"command": "tui-latent train digits-contrastive-2d --set train.lr=0.5"}
    run_in(runs, "changed", age=5, provenance=changed)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        preview = screen.query_one(RunPreview)
        assert preview.display

        def words() -> str:
            return " ".join(str(preview.query_one(Static).content).split())

        await until(pilot, lambda: "with train.lr=0.5" in words())
        await pilot.press("down")
        await until(pilot, lambda: ".700 newest, .900 best" in words())
        assert "#paper" in words() and "the long tail" in words()
        drawn = preview.query_one(MiniMap)
        await until(pilot, lambda: class_color(0) in colors_in(drawn))
        pilot.app.theme = "textual-light"
        await until(pilot, lambda: class_color(0, dark=False) in colors_in(drawn))
        assert class_color(0) not in colors_in(drawn)
        await pilot.press("tab")
        await until(pilot, lambda: not preview.display)


def colors_in(drawn: MiniMap) -> set[tuple[int, ...]]:
    styles = (segment.style for strip in drawn._strips for segment in strip)
    return {tuple(s.color.triplet) for s in styles if s and s.color and s.color.triplet}


async def test_a_run_is_read_for_its_preview_only_once_that_is_shown(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        preview = (await menu(pilot)).query_one(RunPreview)
        await until(pilot, lambda: preview._run is not None)
        assert not preview.display
        preview._read()  # as its timer does
        assert preview._unread
        await pilot.press("tab")
        await until(pilot, lambda: preview._snapshot is not None)
        assert preview.display and not preview._unread


async def test_the_cursor_is_painted_before_its_run_is_described(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described: list[tuple[str, bool]] = []
    monkeypatch.setattr("tui_latent.tui.screens.menu.screen.RUNS_EVERY", 10**6)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        table, pane = screen.query_one(RunTable), screen.query_one(PresetPane)
        lines = table.query_one(LineList)
        await until(pilot, lambda: table._told is not None and not table._rest._due)
        table._rest._moved_at = 0.0  # as after a pause

        def preview(run: RunSummary, now: float) -> None:
            described.append((run.name, (lines.cursor, True) in lines._strips))

        monkeypatch.setattr(pane, "preview", preview)
        await pilot.press("down")
        await until(pilot, lambda: bool(described))
        assert described == [("a-mid", True)]


async def test_any_number_of_runs_costs_what_can_be_seen(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list asks for the lines on the screen only, however many there are."""
    asked: list[int] = []
    monkeypatch.setattr("tui_latent.tui.screens.menu.screen.RUNS_EVERY", 10**6)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await on_the_runs(pilot)
        lines = screen.query_one(LineList)

        def write(index: int, width: int) -> Content:
            asked.append(index)
            return Content(f"line {index}")

        lines.show([str(index) for index in range(100_000)], write)
        await pilot.pause()
        assert 0 < len(set(asked)) <= lines.size.height
        lines.action_move(10**9)
        await pilot.pause()
        assert (
            lines.cursor == 99_999 and "line 99999" in lines.render_line(lines.size.height - 1).text
        )
        assert len(set(asked)) <= 2 * lines.size.height
        lines.action_page(-1)
        assert lines.cursor == 99_999 - (lines.size.height - 1)


@pytest.mark.slow
async def test_the_cursor_waits_on_the_run_whose_dashboard_was_open(
    runs: Path, presets: Path
) -> None:
    async with LatentApp(runs).run_test(size=WIDE) as pilot:
        table = pilot.app.screen.query_one(RunTable)
        await until(pilot, lambda: table.run is not None)
        new = run_in(runs, "d-newest", age=1, state="running")
        for path in (new, runs / "a-mid", runs / "d-newest"):
            pilot.app.open_run(path)  # type: ignore[attr-defined]
            await until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
            await pilot.press("escape")
            await until(
                pilot,
                lambda name=path.name: table.run is not None and table.run.name == name,  # type: ignore[misc]
            )
