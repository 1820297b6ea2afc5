"""Every screen in its main states at four sizes: nothing is cut that must be whole.

The footer shows whole keys, and Help and the way back among them; no number loses digits; no word
is broken in the middle; no two widgets lie over each other.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.scrollbar import ScrollBar
from textual.widget import Widget
from textual.widgets import Static

from tests.tui.evaluations import evaluation
from tests.tui.known_images import KnownImages, KnownLandings, known_distant
from tests.tui.made_runs import trained_run
from tests.tui.menus import NotingApp, menu, presets, run_in
from tests.tui.pilots import MenulessApp, all_drawn, screen_text, until
from tui_latent import analysis
from tui_latent.config.presets import load_preset
from tui_latent.runs.evaluations import write_evaluation
from tui_latent.tui.app import LatentApp
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.screens.compare.screen import CompareScreen
from tui_latent.tui.screens.evaluation.screen import EvaluationScreen
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.screens.images.screen import ViewerScreen
from tui_latent.tui.screens.menu.preset_facts import read_entries
from tui_latent.tui.screens.settings.grid import SettingInput
from tui_latent.tui.screens.settings.screen import SettingsScreen
from tui_latent.tui.widgets.key_footer import KeyFooter

__all__ = ["presets"]

SIZES: Final = ((80, 24), (100, 30), (120, 40), (200, 55))
CHART: Final = 4
"""fewest lines of a chart: with fewer, its legend would take the place of its curves"""
LONG: Final = "20261122-134500-mnist-contrastive-2d-wide"
CUT_NUMBER: Final = re.compile(r"(?<![\w-])(?!2026)[\d,.]*\d…|…,\d")  # names of runs may be cut
Open = Callable[[Pilot[Any], Path], Awaitable[None]]


async def presets_of_the_menu(pilot: Pilot[Any], runs: Path) -> None:
    await menu(pilot)


async def runs_of_the_menu(pilot: Pilot[Any], runs: Path) -> None:
    await menu(pilot)
    await pilot.press("tab", "m")


async def the_form(pilot: Pilot[Any], runs: Path) -> None:
    entry = next(entry for entry in read_entries() if entry.name == "digits-contrastive-2d")
    form = SettingsScreen(entry.name, entry.table, load_preset(entry.name), runs)
    await pilot.app.push_screen(form)
    await pilot.press(*["down"] * 4, "9")


async def the_saving(pilot: Pilot[Any], runs: Path) -> None:
    await the_form(pilot, runs)
    await pilot.press("backspace", "ctrl+w")
    await until(pilot, lambda: "writes" in screen_text(pilot))


async def a_live_run(pilot: Pilot[Any], runs: Path) -> None:
    app = pilot.app
    assert isinstance(app, LatentApp)
    app.open_run(runs / LONG)
    await all_drawn(pilot)


async def a_panel_in_full(pilot: Pilot[Any], runs: Path) -> None:
    await a_live_run(pilot, runs)
    await pilot.press("tab", "f")


async def the_film(pilot: Pilot[Any], runs: Path) -> None:
    await a_live_run(pilot, runs)
    await pilot.press("E")


async def the_help(pilot: Pilot[Any], runs: Path) -> None:
    await a_live_run(pilot, runs)
    await pilot.press("question_mark")


async def a_question(pilot: Pilot[Any], runs: Path) -> None:
    await a_live_run(pilot, runs)
    await pilot.press("s")


async def the_explorer(pilot: Pilot[Any], runs: Path) -> None:
    await pilot.app.push_screen(ExplorerScreen(runs / LONG, pilot.app.drawer))  # type: ignore[attr-defined]
    await until(pilot, lambda: "label" in screen_text(pilot))


async def the_evaluation(pilot: Pilot[Any], runs: Path) -> None:
    await pilot.app.push_screen(EvaluationScreen(runs / LONG, pilot.app.drawer))  # type: ignore[attr-defined]
    await until(pilot, lambda: "linear probe" in screen_text(pilot))


async def the_comparison(pilot: Pilot[Any], runs: Path) -> None:
    await pilot.app.push_screen(CompareScreen([runs / LONG, runs / LONG], pilot.app.drawer))  # type: ignore[attr-defined]
    await until(pilot, lambda: "kNN@20" in screen_text(pilot))


async def the_viewer(pilot: Pilot[Any], runs: Path) -> None:
    await pilot.app.push_screen(ViewerScreen(runs / LONG, pilot.app.drawer))  # type: ignore[attr-defined]
    await until(pilot, lambda: "×12" in screen_text(pilot))


STATES: Final[tuple[Open, ...]] = (
    presets_of_the_menu,
    runs_of_the_menu,
    the_form,
    the_saving,
    a_live_run,
    a_panel_in_full,
    the_film,
    the_help,
    a_question,
    the_explorer,
    the_evaluation,
    the_comparison,
    the_viewer,
)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(analysis, "RunInspector", KnownImages)
    monkeypatch.setattr("tui_latent.analysis.view_spread.ViewSpreads", KnownLandings)
    monkeypatch.setattr("tui_latent.analysis.class_extremes.most_distant", known_distant)
    folder = tmp_path / "runs"
    for name in (LONG, "two"):
        writer = trained_run(folder)
        writer.close()
        writer.path.rename(folder / name)
    write_evaluation(folder / LONG, 720, evaluation())
    run_in(folder, "20261122-134500-a-long-name-of-a-run-that-has-no-end", state="failed")
    return folder


@pytest.mark.parametrize("state", STATES)
async def test_nothing_is_cut_at_any_size(runs: Path, presets: Path, state: Open) -> None:
    of_menu = state in (presets_of_the_menu, runs_of_the_menu)
    app = NotingApp(runs) if of_menu else MenulessApp(runs)
    async with app.run_test(size=SIZES[0]) as pilot:
        await state(pilot, runs)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: app.drawer.idle())
            await pilot.pause()
            text = screen_text(pilot)
            assert len(text.splitlines()) == size[1]
            assert not CUT_NUMBER.findall(text), (size, text)
            assert not broken_words(app.screen.query(Static)), size
            assert not overlapping(app), size
            charts = [chart for chart in app.screen.query(CurveChart) if chart.content_size.area]
            assert all(chart.content_size.height >= CHART for chart in charts), size
            if not isinstance(app.screen, ModalScreen):
                footer = app.screen.query_one(KeyFooter).render().plain
                assert text.splitlines()[-1].strip() == footer.strip()
                assert re.search(r"Help  \S+ (Back|Leave|Quit)$", footer), footer


def broken_words(widgets: Any) -> list[str]:
    """Return the words on the screen that are cut without saying so."""
    found = []
    for widget in widgets:
        if widget.content_region.area and widget.is_on_screen:
            words = set(re.findall(r"[^\W\d_]{2,}", str(widget.render())))
            lines = [widget.render_line(y).text for y in range(widget.size.height)]
            for line in lines:
                for word in re.findall(r"[^\W\d_]{2,}(?!\w*…)", line):
                    # A name longer than the panel has to be broken somewhere.
                    whole = word in words or word in LONG
                    found += [] if whole else [f"{word} in {line.strip()!r}"]
    return found


def overlapping(app: LatentApp) -> list[str]:
    """Return the pairs of visible widgets without children that share cells."""
    shown: list[tuple[Widget, Region]] = [
        (widget, region.intersection(clip))
        for widget, (region, clip) in app.screen._compositor.visible_widgets.items()
        if not any(child.display for child in widget.children)
        # An editor is moved to the line of its setting; scroll bars are part of what they scroll.
        and not isinstance(widget, SettingInput | ScrollBar)
    ]
    return [
        f"{one!r} and {other!r}"
        for at, (one, here) in enumerate(shown)
        for other, there in shown[at + 1 :]
        if here.intersection(there).area and one.layer == other.layer
    ]
