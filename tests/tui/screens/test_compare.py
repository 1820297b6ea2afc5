"""Marking runs in the menu, and the screen that puts them beside each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.tui.made_runs import PRESET, clusters, running, write_records
from tests.tui.menus import NotingApp, menu, presets, run_in, runs_text
from tests.tui.pilots import MenulessApp, notes, until
from tui_latent.analysis.paired_runs import PairedRun
from tui_latent.comparison import compare
from tui_latent.metrics.paired_shares import PairedShares
from tui_latent.palettes import run_colors
from tui_latent.preferences.kept import Kept
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter
from tui_latent.tui import messages
from tui_latent.tui.app import LatentApp
from tui_latent.tui.charts.line_chart_panel import SMOOTHINGS
from tui_latent.tui.charts.panel import ChartPanel
from tui_latent.tui.screens.compare.paired import PairedReader
from tui_latent.tui.screens.compare.panels import MetricChart
from tui_latent.tui.screens.compare.screen import CompareScreen
from tui_latent.tui.screens.compare.tables import (
    RunNames,
    clip_note,
    metric_name,
    number_lines,
    number_titles,
    setting_lines,
    setting_titles,
)
from tui_latent.tui.widgets.metric_picker import MetricPicker
from tui_latent.tui.widgets.table_panel import TablePanel

__all__ = ["presets"]

FOLLOW = PairedReader.follow
WIDE, NARROW = (120, 40), (80, 24)
Compare = Callable[..., bool]


def made(runs: Path, run: str, turned: bool = False, **method: Any) -> RunWriter:
    """Make a run with curves and a map; it is live until it is closed."""
    preset = {**PRESET, "method": PRESET["method"] | method}
    writer = RunWriter.create(runs, "digits-2d", preset, {"preset": "digits-2d", "seed": 0}, run)
    writer.lock()
    write_records(writer, 360 if turned else 720)
    shown = clusters(600, 10)
    if turned:
        points = np.stack([-shown.points[:, 1], shown.points[:, 0]], axis=1)
        shown = LatentMap(720, points, shown.indices, shown.labels, shown.class_names)
    writer.latent_map(shown)
    running(writer)
    return writer


@pytest.fixture(autouse=True)
def not_image_by_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what a thread adds to the numbers at a time of its own."""
    monkeypatch.setattr(PairedReader, "follow", lambda *_: None)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two finished runs, and one that has recorded nothing yet."""
    writers = [
        made(tmp_path, "digits-contrastive"),
        made(tmp_path, "digits-vicreg", turned=True, name="vicreg", latent_dim=32),
    ]
    for writer in writers:
        writer.status(state="finished", step=2400, epoch=40.0)
        writer.close()
    return [*(writer.path for writer in writers), run_in(tmp_path, "digits-begun")]


def title(screen: CompareScreen, name: str) -> str:
    return str(screen.query_one(f"#{name}").border_title)


def table(screen: CompareScreen, name: str) -> list[str]:
    content = screen.query_one(f"#{name}", TablePanel).query_one(Static).content
    return str(content).splitlines()


def names(screen: CompareScreen) -> str:
    return str(screen.query_one(RunNames).content)


async def compared(pilot: Pilot[Any], paths: list[Path]) -> CompareScreen:
    """Open the comparison and wait until every panel in view is drawn."""
    app = pilot.app
    assert isinstance(app, LatentApp)
    screen = CompareScreen(paths, app.drawer)
    await app.push_screen(screen)
    await drawn(pilot, screen)
    return screen


async def drawn(pilot: Pilot[Any], screen: CompareScreen) -> None:
    app = pilot.app
    assert isinstance(app, LatentApp)

    def ready() -> bool:
        panels = [panel for panel in screen.query(ChartPanel) if panel.content_size.area]
        done = all(panel._drawing.strips for panel in panels) and app.drawer.idle()
        return done and "digits" in names(screen)

    await until(pilot, ready)
    await pilot.pause()


async def test_runs_are_marked_and_compared(tmp_path: Path, presets: Path) -> None:
    for index, age in enumerate((100, 200, 300)):
        run_in(tmp_path / "runs", f"run-{index}", age=age)
    async with NotingApp(tmp_path / "runs").run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await pilot.press("C")
        assert "Press Tab to go there first" in notes(pilot)
        await pilot.press("tab", "C")
        assert "No run is marked. Mark two or more with m" in notes(pilot)
        await pilot.press("m", "C")
        assert "One run is marked" in notes(pilot)
        await pilot.press("m", "m", "up", "m")  # the cursor goes on; a second m takes it back
        marked = [line[0] == "▌" for line in runs_text(screen).splitlines()]
        assert marked == [True, False, True]
        await pilot.press("C")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        top = pilot.app.screen
        assert isinstance(top, CompareScreen)
        await until(pilot, lambda: "run-2" in names(top))
        assert "run-0" in names(top) and "run-1" not in names(top)
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_what_cannot_be_read_or_told_apart_is_not_marked(
    tmp_path: Path, presets: Path
) -> None:
    for index in range(9):
        run_in(tmp_path / "runs", f"run-{index}", age=100 * index + 1)
    (tmp_path / "runs" / "broken").mkdir()
    async with NotingApp(tmp_path / "runs").run_test(size=WIDE) as pilot:
        screen = await menu(pilot)
        await pilot.press("tab", *["m"] * 9)
        assert "At most 8 runs" in notes(pilot)
        await pilot.press("end", "m")
        assert "broken cannot be read" in notes(pilot)
        assert runs_text(screen).count("▌") == 8


async def test_numbers_settings_and_maps_stand_side_by_side(
    tmp_path: Path, runs: list[Path]
) -> None:
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await compared(pilot, runs[:2])
        assert "different methods (contrastive, vicreg)" in names(screen)
        head, knn = table(screen, "numbers")[:2]
        assert "contrastive" in head and "vicreg" in head
        assert knn.split()[3:] == [".940", ".940*", ".907", "-.033", ".907"]
        settings = [line.split() for line in table(screen, "settings")[1:]]
        assert settings == [
            ["method"],
            ["name", "contrastive", "vicreg"],
            ["latent_dim", "2", "32"],
        ]
        assert "disparity" in title(screen, "map-1") and "disparity" not in title(screen, "map-0")
        one, other = (screen.query_one(f"#map-{i}", ChartPanel) for i in (0, 1))
        rows = [[panel.render_line(y).text for y in range(12)] for panel in (one, other)]
        assert rows[0] == rows[1], "the turned map is turned back"
        assert title(screen, "curves").startswith("kNN@20, held out · 1 of ")
        await pilot.press("n", "n", "n", "N")
        assert title_name(screen) == "kNN@1, held out"


def title_name(screen: CompareScreen) -> str:
    chart = screen.query_one("#curves", ChartPanel)
    return chart._titles[-1]  # type: ignore[attr-defined,no-any-return]


async def test_a_run_that_cannot_be_read_is_reported_and_the_others_are_compared(
    tmp_path: Path, runs: list[Path]
) -> None:
    (runs[1] / "metrics.jsonl").unlink()
    (runs[1] / "metrics.jsonl").mkdir()
    app = MenulessApp(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        screen = await compared(pilot, runs)
        assert "digits-contrastive" in names(screen) and "begun" in names(screen)
        assert "vicreg" not in names(screen)
        await until(pilot, lambda: "metrics.jsonl: can no longer be read" in notes(pilot))
        assert sum(panel.display for panel in screen.query("ScatterPanel")) == 2


async def test_how_curves_were_compared_is_kept(tmp_path: Path, runs: list[Path]) -> None:
    for keys in (("X", "full_stop", "full_stop"), ()):
        kept = Kept(tmp_path / "config.toml", tmp_path / "cache")
        app = MenulessApp(tmp_path, kept=kept)
        async with app.run_test(size=WIDE) as pilot:
            app.compare(messages.ComparisonRequested(runs[:2]))
            await until(pilot, lambda app=app: isinstance(app.screen, CompareScreen))  # type: ignore[misc]
            screen = app.screen
            assert isinstance(screen, CompareScreen)
            await drawn(pilot, screen)
            await pilot.press(*keys)
            options = screen.query_one(MetricChart).options
            assert (options.axis, options.smoothing) == ("epoch", SMOOTHINGS[2])
    assert 'axis = "epoch"' in (tmp_path / "config.toml").read_text()


async def test_a_live_run_goes_on_and_what_comes_is_shown(tmp_path: Path, runs: list[Path]) -> None:
    writer = made(tmp_path, "digits-live")
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await compared(pilot, [runs[0], writer.path, runs[2]])
        assert "no evaluation" in picture(screen, 2)
        before = screen._panels._shown
        assert before is not None
        writer.metrics(730, 12.2, 73.0, {"val/knn_20": 0.123, "train/loss": 9.0})
        await until(pilot, lambda: any(".123" in line for line in table(screen, "numbers")))
        after = screen._panels._shown
        assert after is not None and after.maps is before.maps, "unchanged maps are not turned anew"
        writer.status(state="finished", step=2400)
        await until(pilot, lambda: names(screen).count("finished") == 2)
    writer.close()


async def test_tables_that_have_not_changed_are_not_written_again(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = made(tmp_path, "digits-live")
    written: list[DOMNode | None] = []
    update = Static.update

    def note(static: Static, *arguments: Any, **options: Any) -> None:
        written.append(static.parent)
        update(static, *arguments, **options)

    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await compared(pilot, [runs[0], writer.path])
        monkeypatch.setattr(Static, "update", note)
        writer.status(step=1200)
        await until(pilot, lambda: "50 %" in names(screen))
        assert screen in written, "the line of the run"
        assert not any(isinstance(parent, TablePanel) for parent in written)
    writer.close()


def picture(screen: CompareScreen, index: int) -> str:
    panel = screen.query_one(f"#map-{index}", ChartPanel)
    return " ".join(panel.render_line(y).text.strip() for y in range(panel.size.height))


async def test_small_screens_show_one_panel_at_a_time(tmp_path: Path, runs: list[Path]) -> None:
    async with MenulessApp(tmp_path).run_test(size=NARROW) as pilot:
        screen = await compared(pilot, runs)
        for name in ("curves", "numbers", "maps", "settings", "curves"):
            shown = [p for p in ("curves", "numbers", "maps", "settings")
                     if screen.query_one(f"#{p}").size.area]  # fmt: skip
            assert shown == [name]
            await pilot.press("tab")
            await pilot.pause()


async def test_maps_that_have_no_room_come_with_n(tmp_path: Path, runs: list[Path]) -> None:
    async with MenulessApp(tmp_path).run_test(size=(70, 24)) as pilot:
        screen = await compared(pilot, runs)
        await pilot.press("tab", "tab")
        await drawn(pilot, screen)

        def in_view() -> list[int]:
            return [i for i in range(3) if screen.query_one(f"#map-{i}").size.area]

        assert in_view() == [0, 1]
        await pilot.press("pagedown")
        await pilot.pause()
        assert in_view() == [1, 2]
        await pilot.press("pagedown")
        await pilot.pause()
        assert in_view() == [0, 1]
        await pilot.press("shift+tab", "f")
        await until(pilot, lambda: screen.query_one("#numbers").size.height > 15)
        await pilot.press("escape")
        assert not screen.has_class("-full") and pilot.app.screen is screen


async def test_without_color_each_run_is_a_character(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await compared(pilot, runs[:2])
        first, second = names(screen).splitlines()[:2]
        assert first.startswith("0 digits-contrastive") and second.startswith("1 digits-vicreg")
        chart = screen.query_one("#curves", ChartPanel)
        assert "1 vicreg" in " ".join(chart.render_line(y).text for y in range(3))


async def test_colors_belong_to_the_runs(tmp_path: Path, runs: list[Path]) -> None:
    wanted = run_colors(path.name for path in runs[:2])
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        for paths in (runs[:2], runs[1::-1]):
            screen = await compared(pilot, paths)
            for index, path in enumerate(paths):
                color = screen.query_one(f"#map-{index}").styles.border_title_color
                assert color is not None and color.rgb == wanted[path.name]
            await pilot.press("q")


async def test_x_writes_the_comparison(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(paths: tuple[Path, ...]) -> Path:
        assert list(paths) == runs[:2]
        return tmp_path / "compared.png"

    monkeypatch.setattr("tui_latent.launch.export.export_comparison", export)
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        await compared(pilot, runs[:2])
        await pilot.press("x")
        await until(pilot, lambda: "compared.png" in notes(pilot))


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_it_looks_as_it_should(
    snap_compare: Compare, tmp_path: Path, runs: list[Path], size: tuple[int, int]
) -> None:
    async def open_it(pilot: Pilot[Any]) -> None:
        await compared(pilot, runs[:2])

    assert snap_compare(MenulessApp(tmp_path), terminal_size=size, run_before=open_it)


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [(0.5, 0.52, "+.020"), (20.0, 9.0, "-11.0"), (1.0, 11.0, "+10.0"), (2e-7, 1e-7, "-1.0e-7")],
)
def test_differences_keep_their_size(
    tmp_path: Path, first: float, second: float, shown: str
) -> None:
    snapshots = []
    for name, value in (("a", first), ("b", second)):
        writer = RunWriter.create(tmp_path, "p", PRESET, {}, name)
        writer.metrics(1, 1, 1, {"train/loss": value})
        writer.close()
        snapshots.append(RunReader(writer.path).refresh())
    line = number_lines(compare(snapshots), 90, colored=True)[1].plain
    assert line.split()[-2] == shown


@pytest.mark.parametrize(("width", "starred"), [(40, ".850*"), (120, ".900*")])
def test_a_star_belongs_to_a_number_that_is_shown(tmp_path: Path, width: int, starred: str) -> None:
    snapshots = []
    for name, values in (("a", (0.9, 0.8)), ("b", (0.7, 0.85))):
        writer = RunWriter.create(tmp_path, "p", PRESET, {}, name)
        for step, value in enumerate(values, 1):
            writer.metrics(step, step, step, {"val/knn_20": value})
        writer.close()
        snapshots.append(RunReader(writer.path).refresh())
    line = number_lines(compare(snapshots), width, colored=True)[1].plain
    assert [word for word in line.split() if "*" in word] == [starred]


@pytest.mark.parametrize("width", [30, 38, 57, 70, 120])
def test_of_many_runs_as_many_are_listed_as_have_room_for_their_numbers(
    tmp_path: Path, width: int
) -> None:
    snapshots = []
    for run in range(8):
        table = {**PRESET, "augment": {"scale": 0.12 + run / 100, "rotate": 15 + run}}
        writer = RunWriter.create(tmp_path, "p", table, {}, f"run-{run}")
        writer.metrics(1, 1, 1, {"val/knn_20": 0.9 + run / 100, "train/loss": 1.0})
        writer.close()
        snapshots.append(RunReader(writer.path).refresh())
    shown = compare(snapshots)
    for lines, titles, value in (
        (number_lines, number_titles, "kNN@20"),
        (setting_lines, setting_titles, "scale"),
    ):
        written = [line.plain for line in lines(shown, width, colored=True)]
        assert all(len(line.rstrip()) <= width for line in written), written
        row = next(line for line in written if value in line)
        kept = row.rpartition(value)[2].replace(", held out", "").split()
        numbers = [word for word in kept if word[0] == "."]
        assert not any("…" in word for word in numbers), row
        heads = written[0].count("●")
        assert heads >= 2 and (heads == 8) == (width >= 70), written[0]
        assert all((f"{heads} of 8 runs" in title) == (heads < 8) for title in titles(shown, width))


@pytest.mark.parametrize("width", range(9, 30))
def test_the_k_of_a_metric_is_never_cut(width: int) -> None:
    for title in ("kNN@1, held out", "kNN@20, training", "kNN@200, held out"):
        name = metric_name(title, width)
        assert name.startswith(title.partition(",")[0]) and len(name) <= width
    assert metric_name("kNN@20, held out", 14) == "kNN@20, he…out"


async def test_a_metric_is_found_by_its_name(tmp_path: Path, runs: list[Path]) -> None:
    async with MenulessApp(tmp_path).run_test(size=NARROW) as pilot:
        screen = await compared(pilot, runs[:2])
        before = title(screen, "curves")
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(pilot.app.screen, MetricPicker))
        field = pilot.app.screen.query_one(Input)
        await pilot.press(*"HELD", "space", *"info")
        assert "HELD info" in field.render_line(0).text  # what is typed can be seen
        await pilot.press("enter")
        await until(pilot, lambda: title(screen, "curves").startswith("InfoNCE, held out"))
        await pilot.press("slash", *"xyz", "enter")  # nothing is called so
        assert isinstance(pilot.app.screen, MetricPicker)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert title(screen, "curves") != before


async def test_the_list_of_metrics_begins_at_the_one_that_is_shown(
    tmp_path: Path, runs: list[Path]
) -> None:
    async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
        screen = await compared(pilot, runs[:2])
        await pilot.press("n", "slash", "enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert title(screen, "curves").startswith("kNN@5")
        await pilot.press("slash", "down", "enter")
        await until(pilot, lambda: title(screen, "curves").startswith("kNN@1,"))


async def test_a_number_brings_a_run_to_the_front(tmp_path: Path, runs: list[Path]) -> None:
    async with MenulessApp(tmp_path).run_test(size=NARROW) as pilot:
        screen = await compared(pilot, runs[:2])
        chart = screen.query_one(MetricChart)
        await pilot.press("2", "left")
        await until(pilot, lambda: "vicreg" in chart.render_line(1).text)
        assert chart.render_line(1).text.split(" · ")[0].strip() == "step 360"
        await pilot.press("1")
        await until(pilot, lambda: "contrastive" in chart.render_line(1).text)
        await pilot.press("9", "0")
        assert chart.options.front == ""
        await pilot.press("full_stop", "X", "X")
        await until(pilot, lambda: "smoothed" in chart.render_line(1).text)
        assert chart.options.axis == "time" and "0:36" in chart.render_line(1).text


async def test_ended_runs_are_compared_image_by_image(
    runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PairedReader, "follow", FOLLOW)
    found = PairedRun(PairedShares(3, 11, 600, 0.013, 0.001, 0.025, 0.057), "", 0.42, 0.25, 0.03)
    monkeypatch.setattr("tui_latent.analysis.paired_runs.paired_runs", lambda shown: (found,))
    async with MenulessApp(runs[0].parent).run_test(size=WIDE) as pilot:
        screen = await compared(pilot, runs[:2])
        await until(pilot, lambda: "Image by image" in " ".join(table(screen, "numbers")))
        words = " ".join(" ".join(table(screen, "numbers")).split())
        assert "11 only in vicreg and 3 only in contrastive" in words
        assert "p = 0.057" in words and "CKA 0.42" in words


async def test_live_runs_are_not_compared_image_by_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PairedReader, "follow", FOLLOW)
    asked: list[object] = []
    monkeypatch.setattr("tui_latent.analysis.paired_runs.paired_runs", asked.append)
    writers = [made(tmp_path, name) for name in ("digits-one", "digits-two")]
    try:
        async with MenulessApp(tmp_path).run_test(size=WIDE) as pilot:
            await compared(pilot, [writer.path for writer in writers])
            assert not asked
    finally:
        for writer in writers:
            writer.close()


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "different data (data.source, data.path): no numbers are comparable"),
        (60, "different data (data.source, …): no numbers are comparable"),
        (30, "different data (data.source,…"),
    ],
    ids=["whole", "shortened", "too narrow"],
)
def test_a_note_keeps_its_conclusion(width: int, shown: str) -> None:
    note = "different data (data.source, data.path): no numbers are comparable"
    assert clip_note(note, width) == shown
    assert len(shown) <= width
