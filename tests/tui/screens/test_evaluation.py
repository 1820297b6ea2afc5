"""The evaluation's page: what was measured last, measuring anew, cancelling, outliers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.evaluations import curve, evaluation
from tests.tui.made_runs import new_run, trained_run
from tests.tui.pilots import MenulessApp, dashboard, until
from tests.waiting import patience
from tui_latent.analysis.evaluation_errors import AssessmentError
from tui_latent.runs.evaluations import write_evaluation
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.evaluation import screen as module
from tui_latent.tui.screens.evaluation.cursor_panel import MatrixPanel, Panel
from tui_latent.tui.screens.evaluation.page import EvaluationPage
from tui_latent.tui.screens.evaluation.screen import EvaluationScreen
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.widgets.verdict_line import VerdictLine

Compare = Callable[..., bool]
Tell = Callable[[str], None]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a finished run with a map of step 720."""
    writer = trained_run(tmp_path, state="finished", step=2400)
    writer.close()
    return writer.path


def screen(pilot: Pilot[int]) -> EvaluationScreen:
    shown = pilot.app.screen
    assert isinstance(shown, EvaluationScreen)
    return shown


def doing(pilot: Pilot[int]) -> str:
    return str(screen(pilot).query_one("#doing", Static).content)


def panel(pilot: Pilot[int], name: str) -> str:
    return str(screen(pilot).query_one(f"#{name}", Panel).content)


async def opened(pilot: Pilot[int], path: Path) -> None:
    app = pilot.app
    assert isinstance(app, MenulessApp)
    app.push_screen(EvaluationScreen(path, app.drawer))
    await until(pilot, lambda: isinstance(app.screen, EvaluationScreen))


def measuring(monkeypatch: pytest.MonkeyPatch, *results: Any) -> list[str | None]:
    """Let evaluations give some results in turn; return what outliers were asked for."""
    asked: list[str | None] = []
    waiting = list(results)

    def evaluate(path: Path, outliers: str | None, tell: Tell) -> Any:
        asked.append(outliers)
        result = waiting.pop(0)
        if callable(result):
            result = result(tell)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(module, "evaluate_run", evaluate)
    return asked


async def test_t_on_the_dashboard_shows_what_was_measured_last_at_once(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = measuring(monkeypatch)
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent, open_path=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, EvaluationScreen))
        await until(pilot, lambda: "step 720" in doing(pilot))
        assert doing(pilot) == "step 720 · evaluated 2026-11-23 18:44"
        assert "k=20 .890 (.880–.900)" in panel(pilot, "figures")
        assert ".900" in panel(pilot, "classes") and "594" in panel(pilot, "training")
        assert "89" in panel(pilot, "held-out") and asked == []
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_latents_newer_than_the_evaluation_are_pointed_out_and_t_measures_them(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = measuring(monkeypatch, evaluation(step=720))
    write_evaluation(run, 60, evaluation(step=60))
    async with MenulessApp(run.parent).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "newer latents at step 720: t evaluates" in doing(pilot))
        await pilot.press("t")
        await until(pilot, lambda: doing(pilot).startswith("step 720"))
        assert asked == [None]


async def test_without_an_evaluation_it_measures_part_by_part(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(tell: Tell) -> Any:
        tell("k-means")
        go_on.wait(patience())
        return evaluation()

    measuring(monkeypatch, slow)
    async with MenulessApp(run.parent).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: doing(pilot) == "k-means…")
        assert "will appear here" in panel(pilot, "figures")
        go_on.set()
        await until(pilot, lambda: "k=20" in panel(pilot, "figures"))


async def test_what_is_being_measured_can_be_cancelled_and_what_was_shown_stays(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    def endless(tell: Tell) -> Any:
        while True:
            tell("linear probe")
            told.wait(0.01)

    measuring(monkeypatch, endless, evaluation(step=999))
    write_evaluation(run, 720, evaluation())
    async with MenulessApp(run.parent).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "evaluated" in doing(pilot))
        await pilot.press("t")
        await until(pilot, lambda: doing(pilot) == "linear probe…")
        await pilot.press("s", "y")
        await until(pilot, lambda: doing(pilot).startswith("Stopped"))
        assert "k=20" in panel(pilot, "figures")
        await pilot.press("t")
        await until(pilot, lambda: doing(pilot).startswith("step 999"))


async def test_leaving_the_page_asks_and_ends_the_measuring(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def endless(tell: Tell) -> Any:
        try:
            while True:
                tell("k-means")
                ended.wait(0.01)
        finally:
            ended.set()

    measuring(monkeypatch, endless)
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: doing(pilot) == "k-means…")
        await pilot.press("escape", "n")
        assert isinstance(app.screen, EvaluationScreen) and not ended.is_set()
        await pilot.press("escape", "y")
        await until(pilot, ended.is_set)


async def test_outliers_are_asked_for_and_their_curve_is_drawn(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outliers = [{"outliers": "mnist", "images": 5000, "inliers": 359, "notes": []} | curve(0.91)]
    asked = measuring(monkeypatch, evaluation(outliers=outliers))
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "evaluated" in doing(pilot))
        await pilot.press("u", "q", "escape")
        assert isinstance(app.screen, EvaluationScreen), "escape leaves the question first"
        await pilot.press("u", *"mnist", "enter")
        await until(pilot, lambda: "mnist: AUC .910" in panel(pilot, "figures"))
        assert asked == ["mnist"]
        roc = screen(pilot).query_one("#roc")
        await until(pilot, lambda: "mnist .910" in roc.render_line(0).text)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AssessmentError("outliers: no dataset 'mnits'"), "outliers: no dataset 'mnits'"),
        (RuntimeError("out of memory"), "RuntimeError: out of memory"),
    ],
)
async def test_what_goes_wrong_is_reported_and_the_page_goes_on(
    run: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    measuring(monkeypatch, error, evaluation())
    async with MenulessApp(run.parent).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: doing(pilot) == words)
        await pilot.press("t")
        await until(pilot, lambda: "k=20" in panel(pilot, "figures"))


@pytest.mark.parametrize("part", ["latents", "made", "knn_held_out", "class_names", "anomaly"])
async def test_a_damaged_evaluation_is_measured_anew(
    run: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    asked = measuring(monkeypatch, evaluation(step=777))
    damage: dict[str, Any] = {part: {"accuracy": 7, "classes": [{"auc": "x"}]}}
    write_evaluation(run, 720, evaluation() | damage)
    async with MenulessApp(run.parent).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: doing(pilot).startswith(("step 777", "step 720")))
        assert asked == ([] if part == "made" else [None])


async def test_a_run_without_latents_says_when_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = measuring(monkeypatch)
    writer = new_run(tmp_path)
    writer.close()
    async with MenulessApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await opened(pilot, writer.path)
        await until(pilot, lambda: doing(pilot).startswith("No latents yet"))
        assert not pilot.app.screen.query_one(EvaluationPage).display, "it would promise metrics"
        assert asked == []


async def test_a_run_that_cannot_be_read_is_not_called_one_without_latents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = measuring(monkeypatch)
    async with MenulessApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path / "gone")
        await until(pilot, lambda: str(tmp_path / "gone") in doing(pilot))
        assert asked == []


async def test_keys_scroll_a_small_screen_to_its_end(run: Path) -> None:
    write_evaluation(run, 720, evaluation())
    async with MenulessApp(run.parent).run_test(size=(80, 24)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "evaluated" in doing(pilot))
        box = screen(pilot).query_one(VerticalScroll)
        await pilot.press("down", "down")
        await until(pilot, lambda: box.scroll_y == 2)
        await pilot.press("end")
        await until(pilot, lambda: box.scroll_y == box.max_scroll_y > 30)
        await pilot.press("home")
        await until(pilot, lambda: box.scroll_y == 0)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_it_looks_as_it_should(snap_compare: Compare, run: Path, size: tuple[int, int]) -> None:
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)

    async def show(pilot: Pilot[int]) -> None:
        await opened(pilot, run)
        await until(pilot, lambda: "evaluated" in doing(pilot))
        roc = screen(pilot).query_one("#roc")
        await until(pilot, lambda: "0 .900" in roc.render_line(0).text and app.drawer.idle())

    assert snap_compare(app, terminal_size=size, run_before=show)


async def test_a_cell_of_the_matrix_opens_its_images_and_back_returns(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch)
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "step 720" in doing(pilot))
        evaluated = screen(pilot)
        matrix = evaluated.query_one("#held-out", MatrixPanel)
        matrix.focus()
        await until(pilot, lambda: "11 of 100 images of 0 → 1" in panel(pilot, "held-out"))
        await pilot.press("down", "right")
        await until(pilot, lambda: "11 of 100 images of 1 → 2" in panel(pilot, "held-out"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        assert isinstance(app.screen, ExplorerScreen) and app.screen._pair == (1, 2)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is evaluated)
        assert "11 of 100 images of 1 → 2" in panel(pilot, "held-out"), "where one was"
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        assert isinstance(app.screen, ExplorerScreen) and app.screen._pair is None


async def test_a_click_on_a_cell_and_a_class_row_are_doors_too(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch)
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 60)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "step 720" in doing(pilot))
        evaluated = screen(pilot)
        lines = panel(pilot, "held-out").splitlines()
        row = next(y for y, text in enumerate(lines) if text.startswith("● 3"))
        column = lines[row].index("11")
        await pilot.click("#held-out", offset=(column + 2, row + 1))
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        assert isinstance(app.screen, ExplorerScreen) and app.screen._pair == (3, 4)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is evaluated)
        evaluated.query_one("#classes").focus()
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, ExplorerScreen)
                and app.screen._look.filter.hidden == frozenset(range(10)) - {2}
            ),
        )


async def test_a_cluster_opens_its_images_in_the_colours_of_clusters(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch)
    found = evaluation()
    found["clustering"]["rows"] = [
        {"image": 3, "images": 40, "classes": [["0", 38], ["8", 2]]},
        {"image": 17, "images": 1, "classes": []},
    ]
    write_evaluation(run, 720, found)
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 60)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "step 720" in doing(pilot))
        evaluated = screen(pilot)
        first, second = (" ".join(line.split()) for line in panel(pilot, "clusters").splitlines())
        assert first == "40 images 38 of 0, 2 of 8"
        assert second == "1 image such as image 17"
        evaluated.query_one("#clusters").focus()
        await pilot.press("down", "enter")

        def alone() -> bool:
            shown = app.screen
            if not isinstance(shown, ExplorerScreen) or shown._result is None:
                return False
            hidden = shown._look.filter.hidden
            return bool(hidden) and shown._result.coloring.name == "cluster"

        await until(pilot, alone)
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen) and explorer._result is not None
        result = explorer._result
        row = result.row_of(17)
        assert row is not None and explorer._map.selected == row
        clusters = result.space.clusters
        shown = set(range(len(result.parts.names))) - explorer._look.filter.hidden
        assert shown == {int(clusters[row])}
        await pilot.press("c")  # other colours show every class again
        await until(pilot, lambda: not explorer._look.filter.hidden)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is evaluated)


async def test_an_evaluation_without_rows_of_clusters_has_no_panel_of_them(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch)
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 60)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "step 720" in doing(pilot))
        assert not screen(pilot).query_one("#clusters").display


async def test_the_verdict_is_on_top_of_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    why = "training has diverged"
    measuring(monkeypatch)
    write_evaluation(run, 720, evaluation())
    app = MenulessApp(run.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await until(pilot, lambda: "step 720" in doing(pilot))
        assert why not in screen(pilot).query_one(VerdictLine).text
    failed = trained_run(run.parent / "more", state="failed", error=why)
    failed.close()
    write_evaluation(failed.path, 720, evaluation())
    async with MenulessApp(run.parent).run_test(size=(120, 40)) as pilot:
        await opened(pilot, failed.path)
        await until(pilot, lambda: why in screen(pilot).query_one(VerdictLine).text)
