"""The menu: presets, their description, earlier runs, and every key on them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.tui.menus import (
    CONTRASTIVE,
    NotingApp,
    current_run,
    details_text,
    menu,
    presets,
    presets_text,
    run_in,
    runs_text,
)
from tests.tui.pilots import notes, until
from tui_latent.runs.queue import add_to_queue
from tui_latent.runs.schema import RunSummary, Status
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen
from tui_latent.tui.screens.dialogs.queue import QueueScreen
from tui_latent.tui.screens.menu.preset_details import PresetDetails
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.run_columns import COLUMNS
from tui_latent.tui.screens.menu.run_lines import fitting, head_line, run_line
from tui_latent.tui.screens.menu.run_preview import RunPreview
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.screens.menu.screen import MenuScreen
from tui_latent.tui.screens.settings.screen import SettingsScreen
from tui_latent.tui.widgets.line_list import LineList

__all__ = ["presets"]

WIDE, NARROW = (120, 40), (80, 24)


@pytest.fixture(autouse=True)
def use_presets(presets: Path) -> None:
    """Every test here chooses among the same three presets."""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


async def press(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_presets_stand_under_their_datasets_with_their_dimension(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        lines = presets_text(screen)
        assert [line.strip() for line in lines if "-D" not in line] == [
            "Bundled, nothing to download",
            "CIFAR-10",
        ]
        assert lines[1].split() == ["digits-contrastive-2d", "2-D"]
        assert lines[2].split() == ["digits-contrastive-8d", "8-D", "1", "min"]
        assert lines[4].split() == ["cifar10-contrastive-128d", "128-D"]


async def test_the_names_are_there_in_the_first_frame(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.tui.screens.menu.preset_pane.PresetPane.check", lambda _: None)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        assert isinstance(pilot.app.screen, MenuScreen)
        assert any("digits-contrastive-2d" in line for line in presets_text(pilot.app.screen))


def test_neither_numpy_nor_pydantic_is_imported_for_the_first_frame() -> None:
    code = (
        "import sys, tui_latent.tui.screens.menu.screen;"
        "print([m for m in ('torch', 'numpy', 'pydantic', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_description_says_what_a_person_wants_to_know(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        text = details_text(screen)
        assert text.startswith("Digits as a map: two numbers per image, and no label seen data")
        for words in (
            "scikit-learn digits · 1,438 train · 359 held out · 8×8",
            "contrastive, Cauchy InfoNCE",
            "2-D · norm 0.01 · trained without labels",
            "rotate ±15° · elastic 5 %",
            "40 epochs · batch size 1,024",
            "expect kNN@20 .951",
            "time – not measured on this device yet",
            "from The contrastive map of a well-known system",
        ):
            assert words in text
        await press(pilot, "down", "down")
        text = details_text(screen)
        assert "CIFAR-10 · 50,000 train · 10,000 held out · 32×32 colour" in text
        assert "170 MB will be downloaded" in text


async def test_the_time_is_the_presets_own_until_a_run_here_tells_better(runs: Path) -> None:
    import platform

    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "down")
        assert "about 1 min · measured on a CPU" in details_text(screen)
        finished: dict[str, Any] = {
            "state": "finished",
            "step": 100,
            "seconds": 270.0,
            "host": platform.node(),
        }
        preset = "digits-contrastive-8d"
        run_in(runs, "short", preset=preset, **finished, total_epochs=3)
        run_in(runs, "elsewhere", preset=preset, **finished | {"host": "x"}, total_epochs=40)
        changed = {"command": f"tui-latent train {preset} --set train.batch_size=8"}
        run_in(runs, "here", preset=preset, **finished, total_epochs=40)
        longer = finished | {"seconds": 900.0}
        run_in(runs, "changed", age=1, preset=preset, provenance=changed, **longer, total_epochs=40)
        await until(pilot, lambda: "like an earlier run here" in details_text(screen))
        assert "about 4 min · like an earlier run here" in details_text(screen)
        assert presets_text(screen)[2].endswith("4 min")  # the same duration as in the words


async def test_the_filter_narrows_by_name_title_data_and_method(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "slash", *"cifar")
        assert presets_text(screen)[0].strip() == "CIFAR-10"
        assert "CIFAR-10 · 50,000" in details_text(screen)
        await press(pilot, *" 8d", "enter")
        assert presets_text(screen)[1].split()[0] == "cifar10-contrastive-128d"
        await press(pilot, "enter")
        assert [(what, name) for what, name, *_ in pilot.app.asked] == [  # type: ignore[attr-defined]
            ("start", "cifar10-contrastive-128d")
        ]
        await press(pilot, "escape")
        assert len(presets_text(screen)) == 5
        assert screen.query_one(PresetList).entry.name == "cifar10-contrastive-128d"  # type: ignore[union-attr]


async def test_keys_typed_into_the_filter_are_text(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "slash", *"qedo")
        assert screen.query_one(Input).value == "qedo"
        assert "No preset matches 'qedo'." in presets_text(screen)[0]
        await press(pilot, "enter", "enter", "e", "v")
        assert pilot.app.screen is screen
        assert not pilot.app.asked  # type: ignore[attr-defined]


async def test_enter_trains_the_preset_as_it_is(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        await press(pilot, "enter")
        [(what, name, preset, run_name)] = pilot.app.asked  # type: ignore[attr-defined]
        assert (what, name, run_name) == ("start", "digits-contrastive-2d", None)
        assert (preset.method.latent_dim, preset.train.batch_size) == (2, 1024)


async def test_broken_presets_are_shown_with_their_error(runs: Path, presets: Path) -> None:
    (presets / "torn.toml").write_text('title = "[red]torn')
    (presets / "wrong.toml").write_text(
        CONTRASTIVE.format(source="mnist", dim=0, top="expct = {}").replace(
            "Digits as a map", "[red]Markup[/] is text"
        )
    )
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "end")
        assert "Cannot be used" in presets_text(screen)[-2]
        assert "not a TOML file" in details_text(screen)
        await press(pilot, "enter")
        assert "not a TOML file" in notes(pilot)
        await press(pilot, "up", "up")
        text = details_text(screen)
        assert text.startswith("[red]Markup[/] is text")
        assert "wrong.toml: expct: unknown key; did you mean 'expect'?" in text
        assert "method.latent_dim: should be greater than or equal to 1" in text
        await press(pilot, "enter", "e", "v")
        assert pilot.app.screen is screen
        assert not pilot.app.asked  # type: ignore[attr-defined]


async def test_a_preset_mended_while_another_screen_was_open_is_read_again(
    runs: Path, presets: Path
) -> None:
    torn = presets / "torn.toml"
    torn.write_text("title =")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "e")
        torn.write_text(CONTRASTIVE.format(source="mnist", dim=3, top=""))
        await press(pilot, "escape")
        await until(pilot, lambda: "torn" in " ".join(presets_text(screen)[3:]))
        assert presets_text(screen)[3].strip() == "MNIST"


async def test_a_preset_that_was_edited_elsewhere_starts_as_it_is_now(
    runs: Path, presets: Path
) -> None:
    file = presets / "digits-contrastive-2d.toml"
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        file.write_text(CONTRASTIVE.format(source="digits", dim=3, top=""))
        await press(pilot, "enter")
        assert pilot.app.asked[0][2].method.latent_dim == 3  # type: ignore[attr-defined]
        await until(pilot, lambda: "3-D" in " ".join(presets_text(screen)))
        file.write_text("title =")
        await press(pilot, "enter")
        assert "not a TOML file" in notes(pilot)
        file.unlink()
        await press(pilot, "enter")
        assert "unknown preset" in notes(pilot)
        assert len(pilot.app.asked) == 1  # type: ignore[attr-defined]


async def test_without_runs_a_sentence_says_how_to_get_one(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        assert runs_text(screen).startswith("No runs yet. Press Enter on a preset")
        about = details_text(screen)
        await press(pilot, "tab", "enter", "r", "d", "v")
        assert pilot.app.screen is screen
        assert "There are no runs yet." in notes(pilot)
        # The description of the preset stays, and no key is offered that has no run to act on.
        assert screen.query_one(PresetDetails).display and details_text(screen) == about
        assert not screen.query_one(RunPreview).display
        keys = screen.active_bindings.values()
        offered = {key.binding.description for key in keys if key.enabled and key.binding.show}
        assert not offered & {"Open", "Mark", "Compare", "Sort", "Filter", "Columns", "All"}
        assert {"Switch", "Quit"} <= offered


async def test_a_folder_of_runs_that_is_a_file_is_named(runs: Path) -> None:
    runs.write_text("")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        assert "cannot be read as a folder of runs" in runs_text(screen)


async def test_runs_are_listed_newest_first_and_broken_folders_last(runs: Path) -> None:
    figures: dict[str, Any] = {"knn_20": 0.9412, "best_knn_20": 0.9512, "loss": 2.87}
    run_in(runs, "old", age=90_000, state="finished", step=100, **figures)
    run_in(runs, "new", age=30, state="failed", step=0, error="no data", loss=float("nan"))
    (runs / "notes").mkdir()
    (runs / "torn").mkdir()
    (runs / "torn" / "preset.toml").write_text("a =")
    run_in(runs, "weird").rename(runs / "[red]weird")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        lines = runs_text(screen).splitlines()
        assert lines[0].split()[:3] == ["✗", "failed", "new"]
        assert lines[0].split()[-6:] == ["0", "%", "–", "–", "NaN", "now"]
        assert lines[1].split()[:3] == ["■", "stopped", "[red]weird"]
        assert lines[2].split()[:3] == ["✓", "finished", "old"]
        assert lines[2].split()[-7:] == ["100", "%", ".941", ".951", "2.87", "1", "d"]
        assert all("? unreadable" in line for line in lines[3:])
        broken = "\n".join(lines[3:])
        assert "not a run: has no preset.toml" in broken
        assert "preset.toml: not a TOML file" in broken


@given(
    width=st.integers(60, 220),
    name=st.text("abc-0123456789é日[]", min_size=1, max_size=110),
    step=st.integers(0, 10**9),
    figure=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    age=st.floats(0, 1e10),
)
def test_every_line_of_the_runs_has_the_columns_of_the_titles(
    width: int, name: str, step: int, figure: float | None, age: float
) -> None:
    columns = fitting([column.id for column in COLUMNS], width)
    titles = head_line(columns, "knn", True)
    usual = RunSummary(Path("r"), "r", "p", Status("finished", 1, 1, device="cpu"), 0.0)
    odd_status = Status("interrupted", step, 10**9, device="cuda:12 NVIDIA H200", loss=figure)
    odd = RunSummary(Path(name), name, "p", odd_status, 0.0, best_knn_20=figure, loss=figure)
    for run, now in ((usual, 7200.0), (odd, age)):
        line = run_line(run, columns, now).plain
        assert cell_len(line) == cell_len(titles) <= width
        aged = columns[-1][0].id == "age"
        assert line.endswith(("d", "h", "min", "now")) if aged else width < 70
        assert width < 77 or "↓kNN@20 newest    best" in titles


async def test_tab_goes_to_the_runs_and_enter_opens_one(runs: Path) -> None:
    run_in(runs, "one", age=100)
    run_in(runs, "two", age=200)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "m")
        assert "m (mark) works on the runs. Press Tab to go there first." in notes(pilot)
        await press(pilot, "tab", "down", "enter")
        assert current_run(screen).name == "two"
        await press(pilot, "up", "enter")
        assert pilot.app.asked == [("open", "two"), ("open", "one")]  # type: ignore[attr-defined]
        await press(pilot, "tab", "enter")
        assert pilot.app.asked[2][:2] == ("start", "digits-contrastive-2d")  # type: ignore[attr-defined]


async def test_b_trains_in_the_background(runs: Path) -> None:
    run_in(runs, "stopped", age=10)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        await press(pilot, "b", "tab", "b")
        asked = [("background", "digits-contrastive-2d"), ("resume in background", "stopped")]
        await until(pilot, lambda: pilot.app.asked == asked)  # type: ignore[attr-defined]


async def test_only_runs_that_can_go_on_are_resumed_and_others_say_why(runs: Path) -> None:
    run_in(runs, "finished", age=1, state="finished", step=100)
    run_in(runs, "stopped", age=2)
    live = RunWriter.create(runs, "p", {}, {"created": 0.0}, "live")
    live.lock()
    live.status(state="running", step=5, total_steps=10)
    (runs / "broken").mkdir()
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "tab", "r")
        assert "finished is finished. There is nothing left to train." in notes(pilot)
        assert not pilot.app.screen.active_bindings["r"].enabled
        await press(pilot, "down", "r")
        assert screen.active_bindings["r"].enabled
        await press(pilot, "down", "r")
        assert "live is already running. Press Enter to open it." in notes(pilot)
        await press(pilot, "down", "r", "enter", "v")
        assert "broken cannot be read: " in notes(pilot)
        asked = [("resume", "stopped")]
        await until(pilot, lambda: pilot.app.asked == asked)  # type: ignore[attr-defined]
    live.close()


async def test_deleting_asks_with_the_name_and_takes_no_for_an_answer(runs: Path) -> None:
    path = run_in(runs, "precious")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        await press(pilot, "tab", "d")
        question = pilot.app.screen
        assert isinstance(question, ConfirmScreen)
        text = " ".join(str(static.content) for static in question.query("Static"))  # type: ignore[attr-defined]
        assert "Delete precious," in text
        await press(pilot, "enter")  # the safe answer has the focus
        assert isinstance(pilot.app.screen, MenuScreen)
        await press(pilot, "d", "escape")
        await press(pilot, "d", "n")
        await pilot.app.workers.wait_for_complete()
        assert path.is_dir()


async def test_a_click_describes_a_line_and_a_second_one_there_opens_it_once(runs: Path) -> None:
    for name, age in (("one", 1), ("two", 2), ("three", 3)):
        run_in(runs, name, age=age)
    app = NotingApp(runs)
    async with app.run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        table, presets = screen.query_one(LineList), screen.query_one("StableList")
        await pilot.click(table, offset=(4, 1))
        assert current_run(screen).name == "two" and app.asked == []
        await pilot.click(table, offset=(4, 2), times=3)
        await until(pilot, lambda: bool(app.asked))
        await pilot.pause()
        assert app.asked == [("open", "three")]
        rows = {line.split()[0]: row for row, line in enumerate(presets_text(screen))}
        await pilot.click(presets, offset=(4, rows["cifar10-contrastive-128d"]))
        await pilot.pause()
        assert len(app.asked) == 1
        await pilot.click(presets, offset=(4, rows["digits-contrastive-8d"]), times=2)
        await until(pilot, lambda: len(app.asked) > 1)
        await pilot.pause()
        assert [each[:2] for each in app.asked[1:]] == [("start", "digits-contrastive-8d")]


async def test_a_question_goes_when_its_run_is_deleted_or_ends_meanwhile(runs: Path) -> None:
    path = run_in(runs, "precious")
    live = RunWriter.create(runs, "digits-contrastive-2d", {}, {"created": 0.0}, "live")
    live.lock()
    live.status(state="running", step=1, total_steps=9)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        await press(pilot, "tab", "d")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        path.rename(runs.parent / "renamed")
        await until(pilot, lambda: "precious is not in its folder any more" in notes(pilot))
        assert isinstance(pilot.app.screen, MenuScreen)
        await press(pilot, "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        live.status(state="failed", error="no memory")
        live.close()
        await until(pilot, lambda: "live has ended: it is failed" in notes(pilot))
        assert isinstance(pilot.app.screen, MenuScreen)


async def test_a_deleted_run_leaves_folder_and_list(runs: Path) -> None:
    for name, age in (("one", 1), ("two", 2), ("three", 3)):
        run_in(runs, name, age=age)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "tab", "down", "d", "y")
        await until(pilot, lambda: "two" not in runs_text(screen))
        assert not (runs / "two").exists()
        assert (runs / "one").is_dir() and (runs / "three").is_dir()
        assert current_run(screen).name == "three"


async def test_what_is_no_run_or_is_being_trained_is_not_deleted(runs: Path) -> None:
    live = RunWriter.create(runs, "p", {}, {"created": 0.0}, "live")
    live.lock()
    live.status(state="paused")
    (runs / "photos").mkdir()
    (runs / "photos" / "one.jpg").write_text("")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await press(pilot, "tab", "d")
        assert "live is paused. Stop it first" in notes(pilot)
        await press(pilot, "down", "d")
        assert "photos may not be a run" in notes(pilot)
        assert pilot.app.screen is screen
    assert (runs / "photos" / "one.jpg").exists()
    live.close()


async def test_a_run_that_starts_meanwhile_is_still_there_after_yes(runs: Path) -> None:
    run_in(runs, "again")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        await press(pilot, "tab", "d")
        writer = RunWriter.reopen(runs / "again")
        writer.lock()
        writer.status(state="running")
        await press(pilot, "y")
        await until(pilot, lambda: "being trained" in notes(pilot))
        writer.close()
    assert (runs / "again" / "preset.toml").exists()


async def test_the_runs_behind_the_queue_follow_it(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.tui.screens.menu.screen.RUNS_EVERY", 0.2)
    for name in ("first", "second"):
        RunWriter.create(runs, "digits-contrastive-2d", {}, {}, name).close()
        add_to_queue(runs, name)
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await until(pilot, lambda: "queued 2 second" in " ".join(runs_text(screen).split()))
        await pilot.press("Q")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueueScreen))
        waiting = pilot.app.screen.query_one(LineList)
        await until(pilot, lambda: waiting.count == 2)
        await pilot.press("d")
        await until(pilot, lambda: "queued 1 second" in " ".join(runs_text(screen).split()))
        assert "not started first" in " ".join(runs_text(screen).split())
        assert isinstance(pilot.app.screen, QueueScreen)


async def test_the_cursor_stays_on_its_run_while_others_come_and_change(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.tui.screens.menu.screen.RUNS_EVERY", 0.5)
    for number in range(30):
        run_in(runs, f"run-{number:02}", age=1000 + number)
    async with NotingApp(runs).run_test(size=NARROW) as pilot:
        screen = await menu(pilot)
        await press(pilot, "tab", *["down"] * 12)
        table = screen.query_one(LineList)
        before = table.scroll_y
        run_in(runs, "newer", age=1)
        RunWriter.reopen(runs / "run-12").status(state="finished", step=100)
        await until(pilot, lambda: "newer" in runs_text(screen))
        await until(pilot, lambda: "✓ finished" in runs_text(screen))
        assert current_run(screen).name == "run-12"
        assert abs(table.scroll_y - before) <= 1
        RunWriter.reopen(runs / "run-13").status(state="finished", step=100)
        await until(pilot, lambda: runs_text(screen).count("✓ finished") == 2)
        assert current_run(screen).name == "run-12"


async def test_listing_the_same_runs_again_writes_nothing(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.tui.screens.menu.screen.RUNS_EVERY", 0.05)
    run_in(runs, "one")
    listed: list[object] = []
    written: list[object] = []
    show, update = RunTable.show, Static.update

    def list_runs(table: RunTable, *arguments: Any) -> None:
        listed.append(arguments)
        show(table, *arguments)

    def note(static: Static, *arguments: Any, **options: Any) -> None:
        written.append(arguments)
        update(static, *arguments, **options)

    async with NotingApp(runs).run_test(size=NARROW) as pilot:
        await menu(pilot)
        monkeypatch.setattr(RunTable, "show", list_runs)
        await until(pilot, lambda: len(listed) >= 3)  # what the first listing led to is written
        monkeypatch.setattr(Static, "update", note)
        await until(pilot, lambda: len(listed) >= 6)
        assert not written


async def test_e_opens_the_settings_and_trains_what_comes_back(runs: Path) -> None:
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        await press(pilot, "e")
        assert isinstance(pilot.app.screen, SettingsScreen)
        await press(pilot, "escape")
        assert not pilot.app.asked  # type: ignore[attr-defined]
        await press(pilot, "e", "ctrl+s")
        assert [asked[:2] for asked in pilot.app.asked] == [("start", "digits-contrastive-2d")]  # type: ignore[attr-defined]


async def test_every_key_has_a_name_and_a_tooltip(runs: Path) -> None:
    run_in(runs, "one")
    async with NotingApp(runs).run_test(size=WIDE) as pilot:
        await menu(pilot)
        own = ("preset.", "run.", "menu.")
        for keys in ((), ("tab",)):
            await press(pilot, *keys)
            bound = [active.binding for active in pilot.app.screen.active_bindings.values()]
            ids = {binding.id for binding in bound if (binding.id or "").startswith(own)}
            assert "menu.quit" in ids and len(ids) >= 5
            assert all(b.tooltip for b in bound if b.id in ids)


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_it_looks_as_it_should(
    size: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    snap_compare: Any,
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = Path("runs")
    done: dict[str, Any] = {"state": "finished", "step": 100, "best_knn_20": 0.951, "loss": 2.87}
    run_in(runs, "20261121-190102-digits-contrastive-2d", age=86_400, **done)
    run_in(runs, "20261122-120000-cifar10-vicreg", age=7200, best_knn_20=0.704, loss=8.021)
    run_in(runs, "20261122-134500-mnist-contrastive-2d-gaussian", age=70, state="failed", step=0)
    (runs / "broken").mkdir()

    async def ready(pilot: Pilot[Any]) -> None:
        await menu(pilot)

    assert snap_compare(NotingApp(runs), terminal_size=size, run_before=ready)
