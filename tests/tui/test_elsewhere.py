"""Keys that have no meaning where they are pressed say where they work; no key is silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.evaluations import evaluation
from tests.tui.known_images import KnownImages, KnownLandings, known_distant
from tests.tui.made_runs import new_run, trained_run
from tests.tui.menus import NotingApp, menu, presets, run_in
from tests.tui.pilots import MenulessApp, all_drawn, notes, screen_text, until
from tui_latent import analysis
from tui_latent.runs.evaluations import write_evaluation
from tui_latent.tui.screens.compare.screen import CompareScreen
from tui_latent.tui.screens.evaluation.screen import EvaluationScreen
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.screens.images.screen import ViewerScreen

__all__ = ["presets"]

NARROW = (80, 24)


async def says(pilot: Pilot[int], key: str, words: str) -> None:
    """Press a key, and wait until a notice says some words."""
    await pilot.press(key)
    await until(pilot, lambda: words in " ".join(notes(pilot).split()))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    writer = trained_run(tmp_path / "runs", state="finished")
    writer.close()
    return writer.path


async def test_keys_of_other_panels_and_screens_say_where_they_work(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=NARROW) as pilot:
        screen = await all_drawn(pilot)
        await says(pilot, "plus", "+ (zoom in at the cursor) works on the curves. Press Tab to go")
        await says(pilot, "u", "u (find outliers: ROC curves) works in the evaluation.")
        await says(pilot, "c", "works in the explorer and in the viewer.")
        assert len(pilot.app._notifications) == 1  # only the newest of these stays
        pilot.app.clear_notifications()
        await pilot.press("ctrl+b", "escape")  # of no screen; and a way back that is not needed
        await until(pilot, lambda: pilot.app.screen is not screen)
        assert not notes(pilot)


async def test_curves_that_cannot_be_seen_do_not_change(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=NARROW) as pilot:
        screen = await all_drawn(pilot)
        before = screen._panels.looks
        await pilot.press("f")
        await says(pilot, "y", "The full-screen panel hides the curves. f leaves full screen.")
        await pilot.press("full_stop", "X")
        assert screen._panels.looks == before
        await pilot.press("f")
        await until(pilot, lambda: not screen._panels.is_full)
        await until(pilot, lambda: screen.query_one("#loss").is_on_screen)
        await says(pilot, "comma", "The loss is shown without smoothing.")
        await pilot.press("y")
        assert screen._panels.looks != before


async def test_tab_goes_to_the_next_panel_in_full_screen(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        seen = []
        await pilot.press("f")
        for _ in range(5):
            await pilot.press("tab")
            (full,) = (panel for panel in screen._panels.query(".-full") if panel.id != "side")
            seen.append(full.id)
            assert screen.focused is full
        assert seen == ["loss", "knn", "space", "log", "map"]
        await pilot.press("shift+tab")
        await until(pilot, lambda: screen.query_one("#log").is_on_screen)
        assert screen._panels.is_full


async def test_time_says_where_it_ends(run: Path) -> None:
    async with MenulessApp(run.parent, open_path=run).run_test(size=NARROW) as pilot:
        await all_drawn(pilot)
        await says(pilot, "left_square_bracket", "There is only one evaluation.")
        await pilot.app.push_screen(ExplorerScreen(run, pilot.app.drawer))  # type: ignore[attr-defined]
        await until(pilot, lambda: "label" in screen_text(pilot))
        pilot.app.clear_notifications()
        for key in ("right_curly_bracket", "E", "p"):
            await says(pilot, key, "There is only one evaluation.")
            pilot.app.clear_notifications()
        await says(pilot, "n", "Nothing has been searched for yet. / opens the search.")


async def test_keys_of_a_run_without_any_record_say_so(tmp_path: Path) -> None:
    writer = new_run(tmp_path / "runs")
    writer.status(state="failed", error="loss is NaN")
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=NARROW) as pilot:
        await all_drawn(pilot)
        for key in ("y", "w", "n", "comma", "X"):
            await says(pilot, key, "This run ended before its first loss was recorded.")
            pilot.app.clear_notifications()
        await says(pilot, "E", "This run ended before its first evaluation.")
        await says(pilot, "left_square_bracket", "This run has no evaluation.")
        await pilot.app.push_screen(ExplorerScreen(writer.path, pilot.app.drawer))  # type: ignore[attr-defined]
        await until(pilot, lambda: "ended before" in screen_text(pilot))
        pilot.app.clear_notifications()
        await says(pilot, "c", "This run ended before its first evaluation.")


async def test_letters_are_text_in_a_form_and_in_a_filter(tmp_path: Path, presets: Path) -> None:
    run_in(tmp_path / "runs", "one")
    async with NotingApp(tmp_path / "runs").run_test(size=NARROW) as pilot:
        await menu(pilot)
        await pilot.press("slash", *"Vuz")
        assert not notes(pilot)
        await pilot.press("escape")
        await says(pilot, "V", "V (shade the Voronoi cells) works in the explorer.")


async def test_a_list_without_rows_is_not_promised(tmp_path: Path, presets: Path) -> None:
    async with NotingApp(tmp_path / "runs").run_test(size=NARROW) as pilot:
        await menu(pilot)
        await says(pilot, "C", "C (compare) works on the runs. They are not on the screen now.")


async def test_keys_that_a_screen_has_but_not_now_say_why(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "RunInspector", KnownImages)
    monkeypatch.setattr("tui_latent.analysis.view_spread.ViewSpreads", KnownLandings)
    monkeypatch.setattr("tui_latent.analysis.class_extremes.most_distant", known_distant)
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)
    async with app.run_test(size=NARROW) as pilot:
        screens = {
            "R": (ExplorerScreen(run, app.drawer), "Only a 3-D cloud can be rotated."),
            "s": (EvaluationScreen(run, app.drawer), "No evaluation is running."),
            "7": (CompareScreen([run, run], app.drawer), "There is no run 7: 2 are compared."),
            "c": (ViewerScreen(run, app.drawer), "These images have no channels"),
        }
        ready = ("label", "linear probe", "kNN@20", "×12")
        for (key, (screen, words)), shown in zip(screens.items(), ready, strict=True):
            await app.push_screen(screen)
            await until(pilot, lambda shown=shown: shown in screen_text(pilot))  # type: ignore[misc]
            await says(pilot, key, words)
            app.clear_notifications()
        await says(pilot, "2", "This page is already open.")
