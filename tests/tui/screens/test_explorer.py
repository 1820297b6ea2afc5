"""The explorer, driven by keys and mouse over runs that were written, live or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from tests.tui.made_runs import clusters, new_run, running, trained_run, write_records
from tests.tui.pilots import MenulessApp, dashboard, notes, panel_text, until
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.sources import load_dataset
from tui_latent.image_columns import ImageColumns, write_columns
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter
from tui_latent.sources.files.columns import column_of
from tui_latent.tui.charts.scatter import Scene
from tui_latent.tui.messages import ExplorerRequested
from tui_latent.tui.screens.base import TooSmall
from tui_latent.tui.screens.explorer.change_list import ChangeList
from tui_latent.tui.screens.explorer.map import ExplorerMap
from tui_latent.tui.screens.explorer.point_panel import PointPanel
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.screens.images.screen import ViewerScreen
from tui_latent.tui.time_cursor import TimeCursor
from tui_latent.tui.widgets.time_badge import TimeBadge

WIDE = (120, 40)


def digits_run(
    runs: Path, dimensions: int = 2, steps: tuple[int, ...] = (60, 120, 180)
) -> RunWriter:
    """Write a run whose latents are the bundled digits' classes, and some noise."""
    writer = new_run(runs, "digits")
    writer.lock()
    write_records(writer, steps[-1])
    dataset = load_dataset(DataSettings(source="digits", draw="random"), 0)
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(10, dimensions, generator=generator) * 8

    def latents(labels: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(len(labels), dimensions, generator=generator)
        return centres[labels] + noise

    labels = dataset.val.labels
    for step in steps:
        points = latents(labels)
        writer.latent_map(
            LatentMap(
                step,
                points[:, :2].numpy(),
                np.arange(len(labels)),
                labels.numpy(),
                dataset.val.class_names,
                "native" if dimensions == 2 else "pca",
            )
        )
    tensors = {
        "bank_latents": latents(dataset.train.labels),
        "bank_labels": dataset.train.labels,
        "query_latents": points,
        "query_labels": labels,
    }
    save_file(tensors, writer.path / "latents" / "last.safetensors")
    running(writer, step=steps[-1])
    return writer


async def explorer(pilot: Pilot[Any]) -> ExplorerScreen:
    """Open the explorer from the dashboard; return it once its point is described."""
    await dashboard(pilot)
    await pilot.press("l")
    await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))
    screen = pilot.app.screen
    assert isinstance(screen, ExplorerScreen)
    await until(pilot, lambda: "kNN " in facts(screen))
    return screen


def facts(screen: ExplorerScreen) -> str:
    return str(screen.query_one(PointPanel).query_one("#facts", Static).content)


def panel(screen: ExplorerScreen) -> str:
    return " ".join(str(static.content) for static in screen.query_one(PointPanel).query(Static))


def line(screen: ExplorerScreen) -> str:
    return str(screen.query_one("#line", Static).content)


def shown_map(screen: ExplorerScreen) -> str:
    widget = screen.query_one(ExplorerMap)
    lines = [str(widget.border_title)]
    return "\n".join(
        lines + [widget.render_line(y).text for y in range(widget.content_size.height)]
    )


async def test_arrows_go_to_points_and_the_panel_tells_about_them(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        assert "359 held-out images" in shown_map(screen)
        assert "step     180" in line(screen) and "3/3" in line(screen)
        scene_map = screen.query_one(ExplorerMap)
        first = scene_map.selected
        for _ in range(20):
            await pilot.press("right")
        assert scene_map.selected != first
        labels = load_dataset(DataSettings(source="digits", draw="random"), 0).val.labels
        expected = f"label {int(labels[scene_map.selected or 0])}"
        await until(pilot, lambda: expected in facts(screen))
        assert "20 of 20" in facts(screen)
        assert "nearest in 2-D latents" in panel(screen)
        text = shown_map(screen)
        assert "┼" in text and "◆" in text and "◇" in text
    writer.close()


async def test_tab_walks_through_all_points_also_hidden_ones(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    write_records(writer, 60)
    points = np.zeros((6, 2), np.float32)
    points[5] = (3, 3)
    writer.latent_map(LatentMap(60, points, np.arange(6), np.zeros(6, np.int64), ("a",)))
    running(writer, step=60)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        seen = set()
        for _ in range(6):
            await pilot.press("tab")
            seen.add(screen.query_one(ExplorerMap).selected)
        assert seen == set(range(6))
        await pilot.press("tab")
        await until(pilot, lambda: "4 more here" in facts(screen))
    writer.close()


async def test_a_click_goes_to_the_point_there(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        widget = screen.query_one(ExplorerMap)
        window, scene = widget._window, widget.scene
        assert window is not None and scene is not None
        column, row = window.cell(*scene.points[1234].tolist())
        await pilot.click(ExplorerMap, offset=Offset(column + 1, row + 1))
        chosen = widget.selected
        assert chosen is not None
        assert window.cell(*scene.points[chosen].tolist()) == (column, row)
    writer.close()


async def test_finding_by_class_and_by_number(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    labels = load_dataset(DataSettings(source="digits", draw="random"), 0).val.labels.tolist()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        widget = screen.query_one(ExplorerMap)
        await pilot.press("slash", *"#300", "enter")
        assert widget.selected == 300
        await pilot.press("slash", "7", "enter")
        sevens = [index for index, label in enumerate(labels) if label == 7]
        after = [index for index in sevens if index > 300]
        assert widget.selected == after[0]
        await pilot.press("n")
        assert widget.selected == after[1]
        await pilot.press("slash", *"nine", "enter")
        await until(pilot, lambda: "nine" in notes(pilot))
        await pilot.press("slash", "escape")
        assert isinstance(pilot.app.screen, ExplorerScreen), "escape leaves the question alone"
    writer.close()


async def test_colours_classes_and_shades(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)

        def has(text: str) -> Callable[[], bool]:
            return lambda: text in shown_map(screen)

        for legend in ("● cluster 1", "● correct", "high anomaly", "dense", "● 9"):
            await pilot.press("c")
            await until(pilot, has(legend))
        await pilot.press("3")
        await until(pilot, lambda: "○ 4" in shown_map(screen) and "● 3" in shown_map(screen))
        count = int(screen.query_one(ExplorerMap).scene.visible.sum())  # type: ignore[union-attr]
        assert f"· {count} held-out images" in shown_map(screen) and 20 < count < 60
        await pilot.press("3")
        await until(pilot, lambda: "359 held-out" in shown_map(screen))
        await pilot.press("h")
        await until(pilot, lambda: "○" in shown_map(screen))
        await pilot.press("a", "V")
        await until(pilot, lambda: shades(screen) >= 10)
    writer.close()


async def test_columns_of_a_table_colour_filter_and_leave_as_a_file(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    count = 359
    ages = [None if n % 10 == 0 else n / 4 for n in range(count)]
    columns = tuple(
        column_of(name, cells)
        for name, cells in (
            ("age", ages),
            ("site", ["Bern", "Uri"] * 179 + [""]),
            ("name", [f"n-{n}" for n in range(count)]),
        )
    )
    write_columns(writer.path, ImageColumns(columns, columns))
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        assert "site: Bern" in facts(screen) and "age" not in facts(screen)
        await pilot.press("c")
        await until(pilot, lambda: "● no value" in shown_map(screen))
        assert "colour: age" in str(screen.query_one("#line", Static).content)
        await until(pilot, lambda: "age: no value" in facts(screen))
        await pilot.press("c")
        await until(pilot, lambda: "● Uri" in shown_map(screen))
        await pilot.press("o")
        await until(pilot, lambda: "○ Uri" in shown_map(screen))
        assert "· 179 held-out images" in shown_map(screen)
        await pilot.press("a", "slash", *"age>=80 site=uri", "enter")
        wanted = [n for n in range(count) if n % 10 and n / 4 >= 80 and n % 2 and n < 358]
        await until(pilot, lambda: f"· {len(wanted)} " in shown_map(screen))
        assert "with age>=80 site=uri" in shown_map(screen)
        await pilot.press("x")
        files = writer.path / "reports"
        await until(pilot, lambda: any(files.glob("*.csv")) if files.exists() else False)
        lines = next(files.glob("*.csv")).read_text().splitlines()
        assert [int(line.split(",")[0]) for line in lines[1:]] == wanted
        await pilot.press("slash", *"n-77", "enter")
        await until(pilot, lambda: "name: n-77" in facts(screen))
        await pilot.press("slash", *"agee>3", "enter")
        await until(pilot, lambda: "no column “agee”" in notes(pilot))
        await pilot.press("a")
        await until(pilot, lambda: "· 359 held-out images" in shown_map(screen))
    writer.close()


def shades(screen: ExplorerScreen) -> int:
    widget = screen.query_one(ExplorerMap)
    strips = [widget.render_line(y) for y in range(widget.content_size.height)]
    return len({s.style.bgcolor for strip in strips for s in strip if s.style and s.style.bgcolor})


async def test_zooming_and_back(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        selected = screen.query_one(ExplorerMap).selected
        await pilot.press("plus", "plus")
        await until(pilot, lambda: "×2.25" in shown_map(screen))
        assert screen.query_one(ExplorerMap).selected == selected
        await pilot.press("shift+right", "minus")
        await until(pilot, lambda: "×1.50" in shown_map(screen))
        await pilot.press("z")
        await until(pilot, lambda: "×" not in shown_map(screen))
    writer.close()


async def strays_come_and_go(pilot: Pilot[Any], shown: Callable[[], str]) -> None:
    await until(pilot, lambda: "3 outside →" in shown())
    await pilot.press("z")
    await until(pilot, lambda: "outside" not in shown())
    await pilot.press("z")
    await until(pilot, lambda: "3 outside →" in shown())


async def test_strays_are_counted_at_the_edge_and_z_shows_them(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    write_records(writer, 60)
    made = clusters(500, 10)
    points = made.points.copy()
    points[:3] = (90, 0)
    writer.latent_map(LatentMap(60, points, made.indices, made.labels, made.class_names))
    running(writer, step=60)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        board = await dashboard(pilot)
        await strays_come_and_go(pilot, lambda: panel_text(board, "map"))
        screen = await explorer(pilot)
        await strays_come_and_go(pilot, lambda: shown_map(screen))
    writer.close()


PANELS = ("#map", "#loss", "#knn", "#space", "#confusion")


def badge(screen: Screen[Any]) -> str:
    """Return what says that an earlier evaluation is shown, empty if nothing does."""
    widget = screen.query_one(TimeBadge)
    return str(widget.content) if widget.display else ""


async def test_one_time_cursor_for_dashboard_and_explorer(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        selected = screen.query_one(ExplorerMap).selected
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "on the map" in panel(screen))
        assert "step     120" in line(screen) and "2/3" in line(screen)
        await until(pilot, lambda: "2 of 3, step 120 of 180. } goes back" in badge(screen))
        for panel_name in (ExplorerMap, PointPanel):
            assert "step 120" in str(screen.query_one(panel_name).border_subtitle)
        assert screen.query_one(ExplorerMap).selected == selected, "the same image"
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "1/3" in line(screen))
        await pilot.press("q")
        board = await dashboard(pilot)
        title = board.query_one("#map")
        await until(pilot, lambda: "step 60" in str(title.border_title))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "step 120" in str(title.border_title))
        await until(pilot, lambda: "step 120" in str(board.query_one("#knn").border_title))
        await until(pilot, lambda: "2 of 3" in badge(board))
        marked = [
            name for name in PANELS if "step 120" in str(board.query_one(name).border_subtitle)
        ]
        assert marked == list(PANELS)
        chart = board.query_one("#loss")
        chart.focus()
        await until(pilot, lambda: "zoom" in str(chart.border_subtitle))
        board.query_one("#map").focus()
        await until(pilot, lambda: "step 120" in str(chart.border_subtitle))
        assert not board.query_one("#machine").border_subtitle, "it shows no evaluation"
        await pilot.press("right_curly_bracket")
        await until(pilot, lambda: "step 180" in str(title.border_title))
        await until(pilot, lambda: not badge(board))
        assert not any(board.query_one(name).border_subtitle for name in PANELS)
        assert "step" not in str(board.query_one("#knn").border_title)
    writer.close()


async def test_a_live_run_is_followed_and_one_that_is_looked_back_at_is_not(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        made = clusters(2000, 10, seed=5)
        writer.latent_map(LatentMap(780, made.points, made.indices, made.labels, made.class_names))
        await until(pilot, lambda: "step     780" in line(screen))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "step     720" in line(screen))
        writer.latent_map(LatentMap(840, made.points, made.indices, made.labels, made.class_names))
        await until(pilot, lambda: "2/3" not in line(screen) and "1/3" in line(screen))
        assert "step     720" in line(screen)
    writer.close()


async def test_playing_shows_every_evaluation_and_ends_at_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.tui.screens.explorer.playback.PLAY_SECONDS", 0.05)
    writer = digits_run(tmp_path)
    maps = {step: RunReader(writer.path).map_at(step) for step in (60, 120, 180)}
    shown: list[int] = []
    show = ExplorerMap.show

    def record(panel: ExplorerMap, scene: Scene | None, *rest: Any) -> None:
        show(panel, scene, *rest)
        assert scene is not None
        step = next(s for s, m in maps.items() if m and np.array_equal(m.points, scene.points))
        assert f"step {step:>7,}" in line(screen)
        if shown[-1:] != [step]:
            shown.append(step)

    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        monkeypatch.setattr(ExplorerMap, "show", record)
        await pilot.press("p")
        await until(pilot, lambda: shown[-1:] == [180])
        await pilot.pause(1.0)
        assert shown == [60, 120, 180]
        await pilot.press("p")  # it has stopped, so it starts again
        await until(pilot, lambda: len(shown) == 6)
        assert shown == [60, 120, 180] * 2
    writer.close()


async def test_movers_are_gone_through(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        await pilot.press("M")
        listing = screen.query_one(ChangeList)
        await until(pilot, lambda: listing.option_count > 100)
        assert "From step 120 to step 180" in str(listing.get_option_at_index(0).prompt)
        await pilot.press("down")
        words = str(listing.get_option_at_index(2).prompt)
        await until(pilot, lambda: f"image {screen.query_one(ExplorerMap).selected:>6,} " in words)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen))
        viewer, chosen = pilot.app.screen, screen.query_one(ExplorerMap).selected
        assert isinstance(viewer, ViewerScreen)
        assert (viewer._wanted.page, viewer._wanted.index) == ("neighbours", chosen)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.has_class("-movers") and listing.highlighted == 2, "where one was"
        await pilot.press("escape")
        assert not screen.has_class("-movers")
        await pilot.press("left_curly_bracket", "M")
        await until(pilot, lambda: listing.option_count == 1)
        assert "no earlier evaluation" in str(listing.get_option_at_index(0).prompt)
    writer.close()


async def test_wider_latents_are_projected_and_a_cloud_turns(tmp_path: Path) -> None:
    writer = digits_run(tmp_path, dimensions=3)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        assert "Latent map, PCA" in shown_map(screen)
        await pilot.press("j")
        await until(pilot, lambda: "of the variance · trustworthiness" in shown_map(screen))
        await pilot.press("plus")
        await until(pilot, lambda: "×1.50" in shown_map(screen))
        await pilot.press("j")
        await until(pilot, lambda: "of the variance between classes" in shown_map(screen))
        await until(pilot, lambda: "×" not in shown_map(screen))
        await pilot.press("j")  # t-SNE
        await until(pilot, lambda: "t-SNE" in line(screen))
        await pilot.press("j")  # asked for before t-SNE is done: that is given up
        await until(pilot, lambda: "the latents themselves" in shown_map(screen))
        widget = screen.query_one(ExplorerMap)
        assert widget.scene is not None
        before = widget.scene.points
        await pilot.press("shift+left")
        await pilot.pause()
        assert not np.allclose(widget.scene.points, before)
    writer.close()


async def test_a_projection_given_up_leaves_the_last_one(tmp_path: Path) -> None:
    writer = digits_run(tmp_path, dimensions=5)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        await pilot.press("j")
        await until(pilot, lambda: "of the variance" in shown_map(screen))
        await pilot.press("j")
        await until(pilot, lambda: "LDA" in shown_map(screen))
        await pilot.press("j")
        await until(pilot, lambda: "t-SNE" in line(screen))
        await pilot.press("escape")
        await until(
            pilot,
            lambda: screen._requested is not None and screen._requested.projection == "LDA",
            30,
        )
        assert isinstance(pilot.app.screen, ExplorerScreen)
        assert "LDA" in shown_map(screen)
    writer.close()


async def test_images_in_the_places_of_points(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        await pilot.press("i")
        await until(pilot, lambda: shown_map(screen).count("▀") > 300)
        await pilot.press("i")
        await until(pilot, lambda: "▀" not in shown_map(screen))
        await pilot.press("slash", *"#17", "enter", "v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen))
    writer.close()


async def test_without_its_data_a_run_still_shows_map_and_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.sources.errors import DataError

    def gone(*_: object) -> None:
        raise DataError("digits are not in /mnt/data: mount it")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", gone)
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        await until(pilot, lambda: "not in /mnt/data: mount it" in panel(screen))
        assert "label" in facts(screen) and "2,000 held-out" in shown_map(screen)
    writer.close()


async def test_a_run_without_a_map_says_when_it_comes(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    running(writer, step=0, epoch=0.0)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))
        screen = pilot.app.screen
        assert isinstance(screen, ExplorerScreen)
        await until(pilot, lambda: "step 60" in shown_map(screen))
        await pilot.press("c", "j", "o", "h", "tab", "right", "M", "M", "V", "i", "plus", "n", "p")
        assert isinstance(pilot.app.screen, ExplorerScreen)
    writer.close()


@pytest.mark.parametrize(("value", "wanted"), [(1.0, "[red]"), (np.nan, "diverged")])
async def test_latents_that_are_all_equal_or_not_finite(
    tmp_path: Path, value: float, wanted: str
) -> None:
    writer = new_run(tmp_path)
    writer.lock()
    points = np.full((50, 2), value, np.float32)
    labels = np.zeros(50, np.int64)
    writer.latent_map(LatentMap(60, points, np.arange(50), labels, ("[red]",)))
    running(writer, step=60)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))
        screen = pilot.app.screen
        assert isinstance(screen, ExplorerScreen)
        await until(pilot, lambda: wanted in shown_map(screen))
        await pilot.press("c", "c", "c", "c", "tab", "down", "V")
        await until(pilot, lambda: "density" in line(screen))
    writer.close()


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_small_screens(tmp_path: Path, size: tuple[int, int]) -> None:
    writer = digits_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=size) as pilot:
        screen = await explorer(pilot)
        assert screen.query_one(ExplorerMap).content_size.width >= 28
        assert "┼" in shown_map(screen) and "label" in facts(screen)
    writer.close()


async def test_a_terminal_too_small_says_so(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await explorer(pilot)
        await pilot.resize_terminal(50, 12)
        await until(pilot, lambda: screen.query_one(TooSmall).region.area > 0)
        assert not screen.query_one(ExplorerMap).region.area
    writer.close()


async def test_a_confusion_is_marked_on_the_map_and_gone_through(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    tensors = load_file(writer.path / "latents" / "last.safetensors")
    labels = tensors["query_labels"]
    eights = (labels == 8).nonzero().flatten()[:3]
    ones = tensors["bank_latents"][tensors["bank_labels"] == 1]
    tensors["query_latents"][eights] = ones.mean(0) + 0.01 * torch.arange(3.0)[:, None]
    save_file(tensors, writer.path / "latents" / "last.safetensors")
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        app.explore(ExplorerRequested(writer.path, TimeCursor(), pair=(8, 1)))
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        screen = app.screen
        assert isinstance(screen, ExplorerScreen)
        await until(pilot, lambda: "3 images of 8 taken for 1" in line(screen))
        scene = screen._map.scene
        assert scene is not None and len(scene.marks) == 3
        shown = set(np.asarray(labels)[scene.visible].tolist())
        assert shown == {1, 8}, "the two classes alone"
        found = eights.tolist()
        assert screen._map.selected == found[0]
        await pilot.press("n")
        assert screen._map.selected == found[1]
        await pilot.press("N")
        assert screen._map.selected == found[0]
        await pilot.press("a")
        await until(pilot, lambda: "taken for" not in line(screen))
        assert screen._map.scene is not None and screen._map.scene.visible.all()
        await pilot.press("escape")
        await dashboard(pilot)
    writer.close()


async def test_a_confusion_of_no_image_says_so(tmp_path: Path) -> None:
    writer = digits_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await dashboard(pilot)
        app.explore(ExplorerRequested(writer.path, TimeCursor(), pair=(0, 3)))
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        screen = app.screen
        assert isinstance(screen, ExplorerScreen)
        await until(pilot, lambda: line(screen).endswith("take no image of 0 for 3."))
        assert len(line(screen)) <= 78
    writer.close()
