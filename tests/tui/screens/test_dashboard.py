"""The dashboard, watching runs that are live, finished, failed, empty or broken."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from textual.screen import Screen
from textual.widgets import Static, Tabs

from tests.tui.made_runs import (
    PRESET,
    ScriptedTrainer,
    clusters,
    new_run,
    running,
    trained_run,
    write_records,
)
from tests.tui.pilots import MenulessApp, all_drawn, dashboard, header, notes, panel_text, until
from tui_latent.runs.control import read_request, request
from tui_latent.runs.schema import LatentMap, RunSnapshot, State
from tui_latent.tui.charts.panel import ChartPanel
from tui_latent.tui.screens.dashboard.log_panel import LogPanel
from tui_latent.tui.screens.dashboard.panels import RunPanels
from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen
from tui_latent.tui.screens.dialogs.help import HelpScreen

WIDE = (120, 40)


def failure(screen: object) -> str:
    line = screen.query_one("#failure", Static)  # type: ignore[attr-defined]
    return str(line.content) if line.display else ""


async def test_a_live_run_is_drawn_in_every_panel(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        assert "● running" in header(screen)
        assert "30 %" in header(screen)
        latent_map = panel_text(screen, "map")
        assert "step 720 · 2,000 held-out images" in latent_map
        assert all(f"● {digit}" in latent_map for digit in range(10))
        assert "total" in panel_text(screen, "loss") and "norm" in panel_text(screen, "loss")
        assert "k=20 .940" in panel_text(screen, "knn")
        assert "best .940" in panel_text(screen, "knn")
        assert "rank" in panel_text(screen, "space")
        assert "checkpoint at step 700" in "\n".join(screen.query_one(LogPanel).lines)
    writer.close()


async def test_a_run_that_has_just_begun_says_what_will_come_and_when(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    running(writer, step=0, epoch=0.0, state="starting", phase="loading mnist")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: "loading mnist" in header(screen))
        await until(pilot, lambda: "step 60" in panel_text(screen, "map"))
        assert "first evaluation, at step 60" in panel_text(screen, "map")
        assert "The loss appears at step 10" in panel_text(screen, "loss")
        assert "kNN accuracy appears after the first" in panel_text(screen, "knn")
        assert failure(screen) == ""
        write_records(writer, 60)
        writer.latent_map(clusters(100, 3))
        await until(pilot, lambda: "total" in panel_text(screen, "loss"))
        await until(pilot, lambda: "100 held-out images" in panel_text(screen, "map"))
    writer.close()


async def test_a_failed_run_says_why_and_what_to_do(tmp_path: Path) -> None:
    writer = trained_run(tmp_path, checkpoint_step=700)
    writer.status(state="failed", error="data: [red]mnist[/] is not there: set TUI_LATENT_DATA")
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        assert "✗ failed" in header(screen)
        assert "[red]mnist[/] is not there: set TUI_LATENT_DATA" in failure(screen)
        assert "Press r to retry, resume, start over or read the log." in failure(screen)
        offered = {binding.binding.action for binding in screen.active_bindings.values()}
        assert "resume" in offered
        assert not offered & {"pause", "ask_to_stop", "checkpoint"}


async def test_a_folder_that_is_not_a_run_is_reported_and_not_fatal(tmp_path: Path) -> None:
    async with MenulessApp(tmp_path, open_path=tmp_path / "nothing").run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "nothing" in failure(screen))
        await pilot.press("space", "s", "k", "X", "y", "full_stop", "f", "tab")
        assert pilot.app.is_running


async def test_values_that_are_not_finite_and_names_like_markup(tmp_path: Path) -> None:
    writer = new_run(tmp_path, preset={**PRESET, "method": {"name": "[b]unknown"}})
    writer.lock()
    running(writer)
    writer.metrics(
        10, 0.1, 1.0, {"train/loss": math.nan, "train/[b]kl": math.inf, "val/[b]kl": 1.0}
    )
    points = np.full((6, 2), np.nan, dtype=np.float32)
    points[:3] = [[0, 0], [1, 1], [2, 0]]
    labels = np.array([0, 1, 2, 0, 1, 2])
    names = ("[red]", "熊猫", "")
    writer.latent_map(LatentMap(10, points, np.arange(6), labels, names))
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        assert "NaN" in panel_text(screen, "loss") and "[b]kl" in panel_text(screen, "loss")
        assert "50 % hidden" in panel_text(screen, "map")
        assert "[red]" in panel_text(screen, "map") and "熊猫" in panel_text(screen, "map")
        writer.latent_map(LatentMap(20, points * np.nan, np.arange(6), labels, names))
        await until(pilot, lambda: "diverged" in panel_text(screen, "map"))
    writer.close()


async def test_new_maps_keep_the_frame_until_points_leave_it(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    running(writer)
    base = clusters(500, 5)

    def show(step: int, scale: float) -> None:
        points = base.points * np.float32(scale)
        writer.latent_map(LatentMap(step, points, base.indices, base.labels, base.class_names))

    def axes(text: str) -> list[str]:
        return [line for line in text.splitlines() if "┬" in line or "┤" in line[:8]][-1:]

    show(60, 1.0)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        first = axes(panel_text(screen, "map"))
        show(120, 0.8)
        await until(pilot, lambda: "step 120" in panel_text(screen, "map"))
        assert axes(panel_text(screen, "map")) == first
        show(180, 3.0)
        await until(pilot, lambda: "step 180" in panel_text(screen, "map"))
        assert axes(panel_text(screen, "map")) != first
    writer.close()


async def test_nothing_is_drawn_again_while_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    drawn: list[object] = []
    submit = app.drawer.submit

    def count(key: object, job: object) -> None:
        drawn.append(key)
        submit(key, job)  # type: ignore[arg-type]

    async with app.run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        app.drawer.submit = count  # type: ignore[method-assign]
        before = header(screen)
        running(writer, step=730)  # the header alone changes
        await until(pilot, lambda: header(screen) != before)
        offered: list[RunSnapshot] = []
        show = RunPanels.show_curves

        def offer(panels: RunPanels, snapshot: RunSnapshot) -> None:
            offered.append(snapshot)
            show(panels, snapshot)

        monkeypatch.setattr(RunPanels, "show_curves", offer)
        await until(pilot, lambda: len(offered) >= 2)  # curves have a slower rate of their own
        assert drawn == []
    writer.close()


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (119, 29)])
async def test_small_screens_have_the_map_and_tabs(tmp_path: Path, size: tuple[int, int]) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=size) as pilot:
        screen = await all_drawn(pilot)
        assert screen.query_one("#map").display
        tabs = screen.query_one(Tabs)
        assert tabs.display

        def visible() -> list[str | None]:
            names = ("loss", "knn", "space", "log")
            return [name for name in names if screen.query_one(f"#{name}").region.area]

        assert visible() == ["loss"]
        tabs.focus()
        await pilot.press("right")
        await until(pilot, lambda: visible() == ["knn"])
        await until(pilot, lambda: "k=20" in panel_text(screen, "knn"))
        await pilot.press("right", "right")
        await until(pilot, lambda: visible() == ["log"])
        await pilot.press("f")  # the panel of the tab, which is the one that is looked at
        await until(pilot, lambda: screen.query_one("#log").size.width > size[0] - 4)
    writer.close()


@pytest.mark.parametrize(
    ("state", "key", "words"),
    [
        ("finished", "s", "is finished. e or F starts a new run from it."),
        ("finished", "space", "is finished. e or F starts a new run from it."),
        ("finished", "r", "--epochs N"),
        ("stopped", "k", "is not training. r resumes it."),
        ("failed", "less_than_sign", "is not training. r resumes it."),
        ("paused", "r", "is paused. Space continues it."),
    ],
    ids=["stop done", "pause done", "resume done", "keep stopped", "rate failed", "resume paused"],
)
async def test_a_key_that_does_nothing_now_says_why(
    tmp_path: Path, state: State, key: str, words: str
) -> None:
    writer = trained_run(tmp_path)
    writer.status(state=state)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        await all_drawn(pilot)
        await pilot.press(key)
        await until(pilot, lambda: words in notes(pilot).replace("\n", " "))
    writer.close()


async def test_a_screen_too_small_says_so_and_comes_back(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(50, 12)) as pilot:
        screen = await dashboard(pilot)
        words = screen.query_one("#too-small", Static)
        await until(pilot, lambda: words.region.area > 0)
        assert "60x20" in str(words.content) and "50x12" in str(words.content)
        assert not screen.query_one("#map").region.area
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: "hidden" in panel_text(screen, "map"))
        assert not words.region.area
    writer.close()


async def test_a_failed_run_shows_nothing_else_on_a_screen_too_small(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    writer.status(state="failed", error="no disk")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        screen = await dashboard(pilot)
        line = screen.query_one("#failure", Static)
        await until(pilot, lambda: line.region.area > 0)
        await pilot.resize_terminal(60, 15)
        await until(pilot, lambda: screen.query_one("#too-small").region.area > 0)
        assert not line.region.area
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: line.region.area > 0)
    writer.close()


async def test_resizing_while_training_redraws_at_the_new_size(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    app = MenulessApp(tmp_path, train=ScriptedTrainer(seconds_per_step=0.005))
    async with app.run_test(size=(80, 24)) as pilot:
        app.resume_run(writer.path)
        screen = await dashboard(pilot)
        await until(pilot, lambda: "200" in panel_text(screen, "map"))
        for width, height in ((200, 60), (61, 21), (40, 10), (120, 40)):
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.05)
        screen = await all_drawn(pilot)
        panel = screen.query_one("#map", ChartPanel)

        def drawn() -> tuple[set[int], int]:
            strips = panel._drawing.strips
            return {strip.cell_length for strip in strips}, len(strips)

        width, height = panel.content_size
        await until(pilot, lambda: drawn() == ({width}, height))
        await pilot.press("s", "y")
        await until(pilot, lambda: app.training_path is None)


async def test_a_question_about_stopping_goes_when_the_run_ends(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        writer.status(state="finished")
        await until(pilot, lambda: pilot.app.screen is screen)
    writer.close()


async def test_pausing_is_shown_at_once_and_confirmed_by_the_trainer(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        await pilot.press("space")
        assert "pausing…" in header(screen)
        assert read_request(writer.path).state == "pause"
        writer.status(state="paused")
        await until(pilot, lambda: "‖ paused" in header(screen))
        await pilot.press("space")
        assert "resuming…" in header(screen)
        assert read_request(writer.path).state == "run"
        writer.status(state="running")
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("space", "space")  # thought better of it before the trainer saw it
        assert read_request(writer.path).state == "run"
        await until(pilot, lambda: "● running" in header(screen))
    writer.close()


async def test_stop_and_checkpoint_are_requests_too(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        await pilot.press("k", "k")
        assert read_request(writer.path).checkpoints == 2
        await pilot.press("s", "y")
        assert "stopping…" in header(screen)
        await pilot.press("space")
        assert read_request(writer.path).state == "stop"
        writer.status(state="stopped")
        await until(pilot, lambda: "■ stopped" in header(screen))
    writer.close()


async def test_two_dashboards_agree_on_the_learning_rate(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("less_than_sign", "less_than_sign")
        assert read_request(writer.path).lr_factor == 0.25
        request(writer.path, lr_factor=3.0)  # another dashboard
        await pilot.press("greater_than_sign")
        assert read_request(writer.path).lr_factor == 6.0
        writer.status(lr_factor=6.0)
        await until(pilot, lambda: "lr ×6" in header(screen))
    writer.close()


async def test_ten_presses_are_one_notice_and_a_question_beyond_eight_times_the_rate(
    tmp_path: Path,
) -> None:
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await all_drawn(pilot)
        await pilot.press(*["greater_than_sign"] * 10)
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert read_request(writer.path).lr_factor == 8.0
        assert [note.message for note in app._notifications] == [
            "lr 4e-3 → 8e-3 (8 × the schedule)"
        ]
        await pilot.press("n")
        assert read_request(writer.path).lr_factor == 8.0
        await pilot.press("greater_than_sign", "y")
        await until(pilot, lambda: read_request(writer.path).lr_factor == 16.0)
        writer.metrics(730, 12.2, 73.0, {"train/lr": 1.6e-2})
        writer.status(lr_factor=16.0, step=730)
        await pilot.press("less_than_sign")
        assert "lr 1.6e-2 → 8e-3" in notes(pilot) and len(app._notifications) == 1
    writer.close()


async def test_a_run_that_waits_for_the_disk_says_for_what(tmp_path: Path) -> None:
    writer = trained_run(tmp_path, state="paused", error="/runs/[x]: 5 bytes needed, 0 free")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "Waiting: /runs/[x]: 5 bytes needed" in failure(screen))
    writer.close()


async def test_full_screen_is_for_the_focused_panel(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        await pilot.press("f")
        await until(pilot, lambda: screen.query_one("#map").size.width == 118)
        assert not screen.query_one("#loss").region.area
        await pilot.press("escape")
        await until(pilot, lambda: screen.query_one("#loss").region.area > 0)
        screen.query_one("#knn").focus()
        await pilot.press("f")
        await until(pilot, lambda: screen.query_one("#knn").size.width == 118)
        assert not screen.query_one("#map").region.area
        await pilot.resize_terminal(200, 55)  # where the classes have a column of their own
        await until(pilot, lambda: screen.query_one("#knn").size.width == 198)
        assert not screen.query_one("#confusion").region.area
        await pilot.press("f")
        await until(pilot, lambda: screen.query_one("#map").region.area > 0)
    writer.close()


async def test_scale_axis_and_smoothing_of_the_loss(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)

        def title() -> str:
            return panel_text(screen, "loss").split("\n")[0]

        assert "log" not in title()  # as they count, the terms are compared by their sizes
        await pilot.press("w")
        await until(pilot, lambda: "log" in title())  # as recorded, they lie far apart
        await pilot.press("y")
        await until(pilot, lambda: "log" not in title())
        await pilot.press("y", "X", "X", "full_stop")
        await until(pilot, lambda: "smooth .6 · time · log" in title())
        assert "1:00" in panel_text(screen, "loss")
        await pilot.press("comma", "comma")
        await until(pilot, lambda: "smooth" not in panel_text(screen, "loss"))
    writer.close()


async def test_help_lists_every_key_and_closes(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        bindings = screen.active_bindings.values()
        assert all(b.binding.id and b.binding.tooltip for b in bindings if b.binding.show)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        text = str(pilot.app.screen.query_one("#keys", Static).content)
        for binding in bindings:
            if binding.binding.show:
                assert pilot.app.get_key_display(binding.binding) in text
                assert binding.binding.tooltip in text
        said = [str(part.content) for part in pilot.app.screen.query(Static)]
        for term, words in (("kNN@20, held out", "20 nearest"), ("uniformity", "worry when")):
            assert words in said[said.index(term) + 1]
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
    writer.close()


async def test_no_color_tells_classes_apart_by_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        text = panel_text(screen, "map")
        assert all(str(digit) * 2 in text for digit in range(10))
        assert not any("\u2800" <= character <= "\u28ff" for character in text)
    writer.close()


async def test_the_log_follows_its_end_and_shows_markup_as_text(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    running(writer)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        log = screen.query_one(LogPanel)
        for number in range(30):
            writer.log(f"[red]line {number}[/red] " + "long " * 12)
        await until(pilot, lambda: any("line 29" in line for line in log.lines))
        assert sum("[red]line" in line for line in log.lines) == 30
        assert log.is_vertical_scroll_end
        assert max(len(line) for line in log.lines) <= log.scrollable_content_region.width
        log.scroll_home(animate=False)
        await pilot.pause()
        writer.log("line 30")
        await until(pilot, lambda: any("line 30" in line for line in log.lines))
        assert log.scroll_y == 0  # someone reads: it does not run away
    writer.close()


async def test_images_open_for_this_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened(Screen[None]):
        def __init__(self, path: Path, *_: object) -> None:
            super().__init__()
            self.path = path

        def look_as(self, _: object) -> None: ...

    monkeypatch.setattr("tui_latent.tui.screens.images.screen.ViewerScreen", Opened)
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        await all_drawn(pilot)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, Opened))
        screen = pilot.app.screen
        assert isinstance(screen, Opened) and screen.path == writer.path
    writer.close()


async def test_what_could_not_be_read_is_named(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    with (writer.path / "metrics.jsonl").open("a") as file:
        file.write("no record\n{}\n")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: "metrics.jsonl" in notes(pilot))
        assert len(pilot.app._notifications) == 1
        assert "total 3.32" in panel_text(screen, "loss")
    writer.close()
