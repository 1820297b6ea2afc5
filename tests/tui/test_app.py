"""The application: training it owns, quitting, reports, help and palette."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.widgets import Button, OptionList, Static

from tests import waiting
from tests.foreign_runs import foreign_run
from tests.tui.known_images import KnownImages
from tests.tui.made_runs import ScriptedTrainer, new_run, trained_run
from tests.tui.pilots import (
    MenulessApp,
    all_drawn,
    dashboard,
    header,
    notes,
    panel_text,
    screen_text,
    until,
)
from tui_latent import analysis
from tui_latent.preferences.kept import Kept
from tui_latent.runs.queue import queued_runs
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError, Status
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.screens.compare.screen import CompareScreen
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen
from tui_latent.tui.screens.dialogs.queue import QueueScreen
from tui_latent.tui.screens.dialogs.second_run import SecondRunScreen
from tui_latent.tui.screens.images.base import AT_LEAST
from tui_latent.tui.screens.images.screen import ViewerScreen
from tui_latent.tui.widgets.film_strip import FilmStrip

SIZE = (100, 30)


async def test_a_new_run_is_created_trained_and_shown_until_it_is_finished(tmp_path: Path) -> None:
    created: list[tuple[str, object, Path, str | None]] = []

    def create(preset_name: str, preset: object, runs: Path, name: str | None) -> Path:
        created.append((preset_name, preset, runs, name))
        writer = new_run(runs, name or "made")
        writer.close()
        return writer.path

    trainer = ScriptedTrainer(steps=60)
    app = MenulessApp(tmp_path, train=trainer, create=create)
    async with app.run_test(size=SIZE) as pilot:
        preset: Any = object()
        app.start_run("digits-contrastive-2d", preset, "mine")
        screen = await dashboard(pilot, tmp_path / "mine")
        await until(pilot, lambda: "✓ finished" in header(screen))
        await until(pilot, lambda: app.training_path is None)
    assert created == [("digits-contrastive-2d", preset, tmp_path, "mine")]
    assert trainer.trained == [tmp_path / "mine"]


async def test_a_run_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    def create(preset_name: str, preset: object, runs: Path, name: str | None) -> Path:
        raise PermissionError(13, "the folder [b]cannot[/b] be written")

    app = MenulessApp(tmp_path, train=ScriptedTrainer(), create=create)
    async with app.run_test(size=SIZE) as pilot:
        preset: Any = object()
        app.start_run("digits", preset)
        await until(pilot, lambda: "[b]cannot[/b] be written" in notes(pilot))
        assert app.training_path is None
        assert not isinstance(app.screen, DashboardScreen)


async def test_a_background_run_is_shown_and_not_this_processs_to_stop(tmp_path: Path) -> None:
    def create(preset_name: str, preset: object, runs: Path, name: str | None) -> Path:
        writer = new_run(runs, "made")
        writer.close()
        return writer.path

    started: list[Path] = []

    def start(path: Path) -> int:
        started.append(path)
        return 4711

    app = MenulessApp(tmp_path, create=create, start_process=start)
    async with app.run_test(size=SIZE) as pilot:
        preset: Any = object()
        app.start_in_background("digits", preset)
        await dashboard(pilot, tmp_path / "made")
        await until(pilot, lambda: "PID 4711" in notes(pilot))
        assert app.training_path is None
        await pilot.press("ctrl+q")  # nothing to ask: the run goes on
        await until(pilot, lambda: not app.is_running)
    assert started == [tmp_path / "made"]


async def test_a_background_run_that_does_not_start_is_reported(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()

    def start(path: Path) -> int:
        raise RunError("no [red]process[/red]")

    app = MenulessApp(tmp_path, start_process=start)
    async with app.run_test(size=SIZE) as pilot:
        app.resume_in_background(writer.path)
        await until(pilot, lambda: "no [red]process[/red]" in notes(pilot))
        assert not isinstance(app.screen, DashboardScreen)


async def test_pause_and_resume_reach_a_real_thread(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(writer.path)
        screen = await dashboard(pilot)
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("space")
        await until(pilot, lambda: "‖ paused" in header(screen))
        step = RunReader(writer.path).refresh().status.step
        await pilot.press("space")
        await until(pilot, lambda: "● running" in header(screen))
        await until(pilot, lambda: RunReader(writer.path).refresh().status.step > step)
        await pilot.press("s", "y")
        await until(pilot, lambda: "■ stopped" in header(screen))
        await until(pilot, lambda: app.training_path is None)
        await pilot.press("r")  # the request to stop is old: it goes on
        screen = await dashboard(pilot)
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("s", "y")
        await until(pilot, lambda: app.training_path is None)


@pytest.mark.slow
async def test_a_trainer_that_breaks_does_not_break_the_screen(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()

    def train(path: Path) -> Status:
        raise RuntimeError("no [red]device[/red]")

    app = MenulessApp(tmp_path, train=train)
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(writer.path)
        await until(pilot, lambda: "no [red]device[/red]" in notes(pilot))
        assert app.training_path is None
        await dashboard(pilot)


async def test_a_second_training_stops_the_first_after_asking(tmp_path: Path) -> None:
    first, second = new_run(tmp_path, "first"), new_run(tmp_path, "second")
    first.close()
    second.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(first.path)
        await dashboard(pilot, first.path)
        app.resume_run(second.path)
        await until(pilot, lambda: isinstance(app.screen, SecondRunScreen))
        assert "first is training" in str(app.screen.query_one(Static).content)
        await pilot.press("escape")
        await dashboard(pilot, first.path)
        assert app.training_path == first.path
        app.resume_run(first.path)  # it is training: nothing to ask
        await pilot.pause()
        app.resume_run(second.path)
        await until(pilot, lambda: isinstance(app.screen, SecondRunScreen))
        await pilot.press("s")
        await dashboard(pilot, second.path)
        assert app.training_path == second.path
        assert RunReader(first.path).refresh().status.state == "stopped"
        await pilot.press("s", "y")
        await until(pilot, lambda: app.training_path is None)


async def test_a_second_run_just_starts_once_the_first_has_ended_meanwhile(tmp_path: Path) -> None:
    first, second = new_run(tmp_path, "first"), new_run(tmp_path, "second")
    first.close()
    second.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(first.path)
        await dashboard(pilot, first.path)
        app.resume_run(second.path)
        await until(pilot, lambda: isinstance(app.screen, SecondRunScreen))
        app.training.ask_to_stop()
        await until(pilot, lambda: "first has ended" in screen_text(pilot))
        assert "queue" not in screen_text(pilot) and "Stop and save" not in screen_text(pilot)
        await pilot.press("s", "Q")  # nothing is left to stop or to wait for
        await pilot.pause()
        assert isinstance(app.screen, SecondRunScreen) and queued_runs(tmp_path) == []
        await pilot.press("enter")
        await dashboard(pilot, second.path)
        assert app.training_path == second.path
        app.training.ask_to_stop()
        await until(pilot, lambda: app.training_path is None)


async def test_the_question_of_quitting_goes_when_the_training_has_ended(tmp_path: Path) -> None:
    run = new_run(tmp_path, "first")
    run.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(run.path)
        await dashboard(pilot, run.path)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        app.training.ask_to_stop()
        await dashboard(pilot, run.path)
        assert app.is_running


async def test_a_second_run_can_start_beside_the_first_or_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (new_run(tmp_path, name) for name in ("first", "second", "third"))
    for writer in (first, second, third):
        writer.close()
    started: list[Path] = []
    worked: list[Path] = []

    def start(path: Path) -> int:
        started.append(path)
        return 4711

    monkeypatch.setattr("tui_latent.launch.queue.work_on_queue", worked.append)
    app = MenulessApp(tmp_path, train=ScriptedTrainer(), start_process=start)
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(first.path)
        await dashboard(pilot, first.path)
        app.resume_run(third.path)
        await until(pilot, lambda: isinstance(app.screen, SecondRunScreen))
        await pilot.press("Q")
        await until(pilot, lambda: "third is number 1 in the queue" in notes(pilot))
        assert queued_runs(tmp_path) == ["third"] and worked == [tmp_path]
        app.resume_run(second.path)
        await until(pilot, lambda: isinstance(app.screen, SecondRunScreen))
        assert "(1 waiting)" in str(app.screen.query_one("#queue", Button).label)
        await pilot.press("b")
        await dashboard(pilot, second.path)
        assert started == [second.path] and app.training_path == first.path
        await pilot.press("Q")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen))
        said = app.screen.query_one(".said", Static)
        await until(pilot, lambda: "1 run is waiting" in str(said.content))
        await pilot.press("d")
        await until(pilot, lambda: "No run is waiting" in str(said.content))
        assert queued_runs(tmp_path) == []
        await pilot.press("d")
        await until(pilot, lambda: "No run is waiting." in notes(pilot))
        await pilot.press("escape")
        app.training.ask_to_stop()
        await until(pilot, lambda: app.training_path is None)


async def test_what_is_chosen_is_kept_for_the_next_time(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    writer.close()
    config = tmp_path / "config.toml"
    config.write_text('# mine\naxis = "step"  # as always\n[keys]\n"view.explore" = "f7"\n')
    app = MenulessApp(tmp_path, open_path=writer.path, kept=Kept(config, tmp_path / "cache"))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        assert screen.active_bindings["f7"].binding.id == "view.explore"
        await pilot.press("X", "full_stop", "full_stop", "y")
        app.theme = "gruvbox"
        await until(pilot, lambda: "gruvbox" in config.read_text())
        logarithmic = screen.query_one("#loss", CurveChart).is_logarithmic
    text = config.read_text()
    assert text.startswith("# mine\n") and '"view.explore" = "f7"' in text
    again = MenulessApp(tmp_path, open_path=writer.path, kept=Kept(config, tmp_path / "cache"))
    async with again.run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        loss = screen.query_one("#loss", CurveChart)
        assert again.theme == "gruvbox"
        assert (loss.options.axis, loss.options.smoothing) == ("epoch", 0.9)
        assert loss.is_logarithmic == logarithmic


async def test_how_images_and_maps_are_shown_is_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "RunInspector", KnownImages)
    writer = trained_run(tmp_path)
    writer.close()
    config = tmp_path / "config.toml"

    def begin() -> MenulessApp:
        return MenulessApp(tmp_path, open_path=writer.path, kept=Kept(config, tmp_path / "cache"))

    app = begin()
    async with app.run_test(size=(120, 40)) as pilot:
        await all_drawn(pilot)
        await pilot.press("w", "E", "v")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await pilot.press("minus", "escape")
        await until(pilot, lambda: config.is_file() and "medium" in config.read_text())
        await pilot.press("l")
        await until(pilot, lambda: "label" in screen_text(pilot))
        await pilot.press("V", "E", "c")
        await until(pilot, lambda: "cluster" in screen_text(pilot))
        look = app.screen._look  # type: ignore[attr-defined]
        assert look.regions
        await pilot.press("escape", "l")  # back, and again
        await until(pilot, lambda: "cluster" in screen_text(pilot))
        assert app.screen._look.trails == look.trails and app.screen._look.regions  # type: ignore[attr-defined]
    again = begin()
    assert again.kept.preferences.image_size == "medium"
    async with again.run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        assert "weighted" not in panel_text(screen, "loss").splitlines()[0]
        assert screen.query_one(FilmStrip).display
        await pilot.press("v")
        await until(pilot, lambda: isinstance(again.screen, ViewerScreen))
        assert again.screen._at_least == AT_LEAST[1]  # type: ignore[attr-defined]


async def test_panels_that_are_not_wanted_are_not_shown(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    writer.close()
    config = tmp_path / "config.toml"
    config.write_text('panels = ["map", "loss", "knn"]\nnotifications = "errors"\nthem = "x"\n')
    kept = Kept(config)
    assert kept.problems == [f"{config}: there is no setting 'them'; did you mean 'theme'?"]
    app = MenulessApp(tmp_path, open_path=writer.path, kept=kept)
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await all_drawn(pilot)
        assert screen.query_one("#loss").display and screen.query_one("#map").display
        for name in ("space", "log", "confusion"):
            assert not screen.query_one(f"#{name}").size.area
        app.notify("a note")
        app.notify("an error", severity="error")
        await until(pilot, lambda: "an error" in notes(pilot))
        assert "a note" not in notes(pilot)


async def test_quitting_while_training_asks_then_stops_and_saves(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(writer.path)
        screen = await dashboard(pilot)
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is screen)
        assert app.training_path == writer.path
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.return_code == 0 and not app.is_running)
    status = RunReader(writer.path).refresh().status
    assert status.state == "stopped"
    assert status.checkpoint_step == status.step
    assert not [t for t in threading.enumerate() if t.name in ("drawing", "run-watcher")]


async def test_quitting_without_a_training_asks_nothing(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=SIZE) as pilot:
        await all_drawn(pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0
    assert RunReader(writer.path).refresh().status.state == "running"  # another's run goes on
    writer.close()


async def test_a_crash_of_the_screen_stops_the_training(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())

    def crash() -> None:
        raise ZeroDivisionError("the screen is broken")

    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=SIZE) as pilot:
            app.resume_run(writer.path)
            screen = await dashboard(pilot)
            await until(pilot, lambda: "● running" in header(screen))
            app.call_later(crash)
            await pilot.pause(0.5)
    waiting.until(lambda: RunReader(writer.path).refresh().status.state == "stopped")


async def test_a_report_is_written_in_the_background_and_said_where(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    may_write = threading.Event()

    def export(path: Path) -> Path:
        assert may_write.wait(waiting.patience())
        return path / "reports" / "[1].png"

    app = MenulessApp(tmp_path, open_path=writer.path, export=export)
    async with app.run_test(size=SIZE) as pilot:
        await all_drawn(pilot)
        await pilot.press("x")
        await pilot.pause()
        assert "Writing the report" in notes(pilot)
        may_write.set()
        await until(pilot, lambda: "reports/[1].png" in notes(pilot))
    writer.close()


async def test_a_report_that_fails_says_why(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)

    def export(path: Path) -> Path:
        raise OSError(28, "No space left on device")

    app = MenulessApp(tmp_path, open_path=writer.path, export=export)
    async with app.run_test(size=SIZE) as pilot:
        await all_drawn(pilot)
        await pilot.press("x")
        await until(pilot, lambda: "No space left on device" in notes(pilot))
    writer.close()


@pytest.mark.slow
async def test_the_palette_offers_what_can_be_done_now(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=SIZE) as pilot:
        screen = await all_drawn(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"run: pause")
        found = app.screen.query_one(OptionList)
        await until(pilot, lambda: found.option_count > 0)
        await until(pilot, lambda: "Run: Pause" in str(found.get_option_at_index(0).prompt))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: "pausing…" in header(screen))
    writer.close()


async def test_back_to_the_menu_leaves_the_training_running(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.close()
    app = MenulessApp(tmp_path, train=ScriptedTrainer())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(writer.path)
        screen = await dashboard(pilot)
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("q")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert app.training_path == writer.path
        app.open_run(writer.path)
        screen = await dashboard(pilot)
        await until(pilot, lambda: "● running" in header(screen))
        await pilot.press("s", "y")
        await until(pilot, lambda: app.training_path is None)


async def test_the_theme_follows_the_terminal(tmp_path: Path) -> None:
    assert MenulessApp(tmp_path, light=True).theme == "textual-light"
    assert MenulessApp(tmp_path).theme == "textual-dark"


async def test_over_ssh_nothing_is_animated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert MenulessApp(tmp_path).animation_level == "none"


async def test_several_runs_begin_with_their_comparison(tmp_path: Path) -> None:
    paths = [foreign_run(tmp_path, name, origin="opened") for name in ("one", "two")]
    app = MenulessApp(tmp_path, compared=paths)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        await until(pilot, lambda: "disparity" in screen_text(pilot))
