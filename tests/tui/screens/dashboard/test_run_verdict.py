"""The verdict on the dashboard: a line, all findings behind it, and where each of them leads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from rich.color import Color
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui.evaluations import evaluation
from tests.tui.made_runs import PRESET, clusters, new_run, running, write_records
from tests.tui.pilots import MenulessApp, all_drawn, dashboard, until
from tui_latent import verdict
from tui_latent.runs.evaluations import write_evaluation
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.screens.dashboard.run_verdict import RunVerdict
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.dialogs.findings import FindingsScreen
from tui_latent.tui.screens.evaluation.screen import EvaluationScreen
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.widgets.verdict_line import VerdictLine


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a finished run that promised .9, with a map of PCA and many eights taken for ones."""
    preset = {
        **PRESET,
        "expect": {"val/knn_20": 0.9},
        "method": {"name": "vicreg", "latent_dim": 8},
    }
    writer = new_run(tmp_path, preset=preset)
    writer.lock()
    write_records(writer)
    confusion = np.diag(np.full(10, 200))
    confusion[8, 8], confusion[8, 1] = 178, 22
    writer.latent_map(replace(clusters(2000, 10), projection="pca"), confusion)
    running(writer, state="finished", step=2400)
    writer.close()
    return writer.path


def line(pilot: Pilot[Any]) -> str:
    return pilot.app.screen.query_one(VerdictLine).text


async def opened(pilot: Pilot[Any]) -> None:
    """Open the findings of the dashboard's verdict."""
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, FindingsScreen))


def listed(pilot: Pilot[Any]) -> list[str]:
    lists = pilot.app.screen.query(OptionList)  # none while the dialog opens
    return [str(option.prompt) for options in lists for option in options.options]


async def test_the_line_sums_up_and_enter_shows_the_evidence(run: Path) -> None:
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "8 is taken for 1 in 11 % of its images." in line(pilot))
        assert line(pilot).startswith("✓ Good: kNN@20 0.940, the preset promises 0.900.")
        assert line(pilot).endswith("Enter shows why")
        await opened(pilot)
        promise = next(text for text in listed(pilot) if "promises" in text)
        assert "95 % interval" in promise and "Threshold:" in promise
        assert any("22 of 200 held-out images of 8" in text for text in listed(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_the_open_verdict_follows_a_new_evaluation(run: Path) -> None:
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "taken for" in line(pilot))
        await opened(pilot)
        options = app.screen.query_one(OptionList)
        at = next(i for i, text in enumerate(listed(pilot)) if "taken for" in text)
        await until(pilot, lambda: options.highlighted == 0)
        await pilot.press(*["down"] * at)
        writer = RunWriter(run)
        writer.lock()
        confusion = np.diag(np.full(10, 200))
        confusion[3, 3], confusion[3, 5] = 140, 60
        writer.latent_map(replace(clusters(2000, 10), step=2400, projection="pca"), confusion)
        writer.close()
        await until(
            pilot, lambda: any("60 of 200 held-out images of 3" in t for t in listed(pilot))
        )
        assert not any("images of 8" in text for text in listed(pilot))
        await until(pilot, lambda: options.highlighted is not None)
        assert "3 is taken for 5" in listed(pilot)[options.highlighted or 0]


async def test_a_verdict_that_comes_while_the_dialog_opens_is_shown(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged, allowed = verdict.judge, Event()

    def late(*arguments: Any) -> Any:
        allowed.wait()
        return judged(*arguments)

    monkeypatch.setattr(verdict, "judge", late)
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await dashboard(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bool(listed(pilot)))
        assert listed(pilot) == ["Judging the run …"]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        screen.action_verdict()
        allowed.set()  # before the dialog is mounted, or after
        await until(pilot, lambda: any("taken for" in text for text in listed(pilot)))


def luminance(color: Color) -> float:
    """Return the relative luminance of a colour, 0 to 1, as WCAG defines it."""
    parts = (part / 255 for part in color.get_truecolor())
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(options: OptionList, words: str) -> float:
    """Return the contrast of a line's text and ground: (lighter + .05) / (darker + .05), WCAG."""
    for y in range(options.size.height):
        strip = options.render_line(y)
        if words in strip.text:
            styles = [segment.style for segment in strip if words in segment.text]
            assert styles[0] is not None and styles[0].color and styles[0].bgcolor
            both = (luminance(styles[0].color), luminance(styles[0].bgcolor))
            return (max(both) + 0.05) / (min(both) + 0.05)
    raise AssertionError(f"{words} is not shown")


@pytest.mark.parametrize("light", [False, True])
async def test_the_highlighted_finding_can_be_read(run: Path, light: bool) -> None:
    app = MenulessApp(run.parent, open_path=run, light=light)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "taken for" in line(pilot))
        await opened(pilot)
        options = app.screen.query_one(OptionList)
        sentences = [text.splitlines()[0][:30] for text in listed(pilot)]
        for at, words in enumerate(sentences):
            await until(pilot, lambda at=at: options.highlighted == at)  # type: ignore[misc]
            await pilot.pause()
            assert contrast(options, words) > 3  # WCAG, of bold text
            await pilot.press("down")
        colors = [each.prompt.spans[0].style for each in options.options[1:]]  # type: ignore[union-attr]
        assert any("$text" in str(color) for color in colors), "the others have theirs again"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "screen"), [("promises", EvaluationScreen), ("taken for", ExplorerScreen)]
)
async def test_a_finding_leads_to_where_it_can_be_seen_and_back(
    run: Path, words: str, screen: type[Any]
) -> None:
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "promises" in line(pilot))
        await opened(pilot)
        at = next(i for i, text in enumerate(listed(pilot)) if words in text)
        await pilot.press(*["down"] * at, "enter")
        await until(pilot, lambda: isinstance(app.screen, screen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_an_evaluation_adds_what_it_found(run: Path) -> None:
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(200, 40)) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "cannot be trusted" in line(pilot))
        newest = screen.query_one(RunVerdict).verdict
        assert newest is not None
        found = {finding.kind: finding for finding in newest.findings}
        assert "0.867" in found["map"].evidence


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 55)])
async def test_the_line_is_never_wider_than_the_screen(run: Path, size: tuple[int, int]) -> None:
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=size) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: bool(line(pilot)))
        assert len(line(pilot)) <= size[0] - 2
        said = line(pilot).removesuffix("Enter shows why").strip()
        assert said.endswith((".", "…"))


async def test_a_run_without_figures_has_no_line_and_says_so_on_enter(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    running(writer, step=3)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await dashboard(pilot)
        assert screen.query_one(VerdictLine).size.height == 0
        await opened(pilot)
        await until(pilot, lambda: "Nothing can be said" in "".join(listed(pilot)))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
    writer.close()


async def test_rows_of_the_classes_open_their_images(run: Path) -> None:
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(170, 45)) as pilot:
        screen = await all_drawn(pilot)
        screen.query_one("#confusion").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        assert isinstance(app.screen, ExplorerScreen) and app.screen._pair == (8, 1)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press(*["up"] * 20, "enter")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await until(pilot, lambda: 8 not in app.screen._look.filter.hidden)  # type: ignore[attr-defined]
