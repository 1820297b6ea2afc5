"""Every screen of runs that were watched or opened, with and without labels, bank and images."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tests.foreign_runs import foreign_run
from tests.tui.pilots import (
    MenulessApp,
    dashboard,
    header,
    notes,
    panel_text,
    screen_text,
    until,
)
from tui_latent.runs.control import read_request
from tui_latent.runs.groups import read_groups
from tui_latent.runs.thumbnails import thumbnails_file
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.app import LatentApp
from tui_latent.tui.charts.image_grid import ImageSheet
from tui_latent.tui.screens.compare.screen import CompareScreen
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen
from tui_latent.tui.screens.evaluation.screen import EvaluationScreen
from tui_latent.tui.screens.explorer.map import ExplorerMap
from tui_latent.tui.screens.explorer.screen import ExplorerScreen
from tui_latent.tui.screens.images.screen import ViewerScreen
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.screens.menu.screen import MenuScreen
from tui_latent.tui.widgets.film_strip import FilmStrip

WIDE = (120, 40)
SIZES = [WIDE, (80, 24)]
KINDS: dict[str, dict[str, Any]] = {
    "watched": {},
    "unlabelled": {"labels": False},
    "bare": {"labels": False, "bank": False, "thumbnails": False},
    "opened": {"origin": "opened"},
    "vectors": {"origin": "opened", "labels": False, "bank": False, "thumbnails": False},
    "plane": {"labels": False, "dimensions": 2},
}
_EVERY_KEY = (
    "c h a o o h a c i V c h c percent_sign left_square_bracket right_square_bracket "
    "left_curly_bracket right_curly_bracket p p M down M E z plus minus m j j n N R 0 3"
)


def live_loop(runs: Path, *obeys: str) -> RunWriter:
    """Begin a watched run, whose loop is this process."""
    preset = {"watched": {"obeys": list(obeys)}}
    provenance = {"origin": "watched", "command": "python train.py"}
    writer = RunWriter.create(runs, "loop", preset, provenance, "loop")
    writer.lock()
    writer.status(state="running", step=30)
    writer.metrics(30, 0.0, 1.0, {"train/loss": 1.0})
    return writer


async def top(pilot: Pilot[Any], kind: type[Screen[Any]]) -> Any:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    return pilot.app.screen


async def explorer(pilot: Pilot[Any], size: int = 60) -> ExplorerScreen:
    """Return the explorer when it shows its map and a point."""
    screen: ExplorerScreen = await top(pilot, ExplorerScreen)
    await until(pilot, lambda: f"· {size:,} " in panel_text(screen, "explorer-map"))
    await until(pilot, lambda: "denser than" in screen_text(pilot))
    return screen


# The dashboard


async def test_a_loop_is_offered_only_the_keys_that_it_obeys(tmp_path: Path) -> None:
    writer = live_loop(tmp_path, "stop")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "running" in header(screen))
        await until(pilot, lambda: "s Stop" in screen_text(pilot))
        for missing in ("Pause", "Resume", "Edit", "Fork", "Keep", "rate"):
            assert missing not in screen_text(pilot).splitlines()[-1]
        await pilot.press("space")
        await until(pilot, lambda: "cannot be asked to pause" in notes(pilot))
        for key, sentence in (
            ("k", "cannot be asked to save a checkpoint"),
            ("less_than_sign", "cannot be asked to change its learning rate"),
            ("e", "they can only be changed there"),
            ("F", "they can only be changed there"),
            ("w", "Only the training loop itself knows"),
        ):
            pilot.app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda sentence=sentence: sentence in notes(pilot))  # type: ignore[misc]
        assert read_request(writer.path).state == "run"
        await pilot.press("s")
        await top(pilot, ConfirmScreen)
        assert "Its own script decides what is saved" in screen_text(pilot)
        await pilot.press("y")
        await until(pilot, lambda: read_request(writer.path).state == "stop")
        await pilot.press("question_mark")
        await until(pilot, lambda: "Press ?" in screen_text(pilot) or "Help" in screen_text(pilot))
        assert "Pause or continue" not in screen_text(pilot)
    writer.close()


async def test_no_checkpoint_is_promised_on_behalf_of_a_loop(tmp_path: Path) -> None:
    writer = live_loop(tmp_path, "checkpoint", "stop")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "running" in header(screen))
        await pilot.press("k")
        await until(pilot, lambda: "Its own script decides when it saves, and what" in notes(pilot))
        assert "the log will confirm" not in notes(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Stop the training (asks first)" in screen_text(pilot))
        assert "and save (asks" not in screen_text(pilot)
    writer.close()


@pytest.mark.parametrize("size", SIZES)
async def test_pages_of_training_images_say_that_only_held_out_images_were_kept(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = foreign_run(tmp_path)
    thumbnails_file(run, "train").unlink()  # as when a loop gives `thumbnails` alone
    async with MenulessApp(tmp_path, open_path=run).run_test(size=size) as pilot:
        await dashboard(pilot)
        await pilot.press("v")
        screen = await top(pilot, ViewerScreen)
        sheet = screen.query_one(ImageSheet)
        kept = "No training images were kept; tui_latent.watch(…, bank_thumbnails="
        for key in ("2", "6", "7"):
            await pilot.press(key)
            await until(pilot, lambda: kept in screen_text(pilot) and sheet._others)
            assert "has no images" not in screen_text(pilot)
        await pilot.press("8")
        await until(pilot, lambda: "rank 0 of" in screen_text(pilot))
        assert "bank_thumbnails" not in screen_text(pilot)  # of held-out images alone


async def test_the_density_of_a_point_fits_a_line(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=run).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        await explorer(pilot)
        text = " ".join(screen_text(pilot).split("│"))
        assert re.search(r"denser than \d+ %", text)


async def test_what_will_come_of_a_loop_is_reported(tmp_path: Path) -> None:
    writer = live_loop(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        words = "when the loop hands over latents"
        await until(pilot, lambda: words in " ".join(panel_text(screen, "map").split()))
        assert "%" not in header(screen)  # it did not say how many steps there will be
    writer.close()


async def test_dropped_records_are_counted_and_explained(tmp_path: Path) -> None:
    writer = live_loop(tmp_path, "pause")
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "running" in header(screen))
        writer.status(dropped=7)
        await until(pilot, lambda: "7 records left out" in header(screen))
        await until(pilot, lambda: "The oldest records are left out" in notes(pilot))
    writer.close()


@pytest.mark.parametrize("size", SIZES)
async def test_an_unlabelled_run_gives_the_room_of_classes_away(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = foreign_run(tmp_path, labels=False)
    async with MenulessApp(tmp_path, open_path=run).run_test(size=size) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "step 300" in panel_text(screen, "map"))
        await until(pilot, lambda: "total" in panel_text(screen, "loss"))
        assert "•" in panel_text(screen, "map")
        assert "kNN" not in screen_text(pilot)
        assert not screen.query_one("#knn").display or not screen.query_one("#knn").size.area


async def test_view_retrieval_is_charted_where_there_are_no_labels(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, labels=False)
    writer = RunWriter(run)
    writer.lock()
    for step in (301, 302, 303):
        values = {"val/view_retrieval_1": step / 1000, "val/view_retrieval_5": step / 500}
        writer.metrics(step, 0.0, 31.0, {"latent/effective_rank": 3.0, **values})
    writer.close()
    async with MenulessApp(tmp_path, open_path=run).run_test(size=WIDE) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: "View retrieval" in panel_text(screen, "knn"))
        await until(pilot, lambda: "nearest .303" in panel_text(screen, "knn"))
        assert "eff. rank" in panel_text(screen, "space")
        assert "retrieval" not in panel_text(screen, "space")
        assert "views .303" in header(screen)


async def test_an_opened_run_begins_in_the_explorer(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, origin="opened", labels=False)
    async with LatentApp(tmp_path, open_path=run).run_test(size=(80, 40)) as pilot:
        await explorer(pilot)
        assert "vector" in screen_text(pilot)
        assert not pilot.app.screen.query_one(FilmStrip).display  # of a single map
        assert pilot.app.screen.check_action("time", (1,)) is False
        await pilot.press("escape")
        screen = await dashboard(pilot)
        await until(pilot, lambda: "opened" in header(screen))
        await until(pilot, lambda: "vectors" in panel_text(screen, "map"))
        assert screen.query_one("#map").outer_size.width == 80  # there is nothing beside it
        await pilot.press("r")
        await until(pilot, lambda: "There is no training to resume" in notes(pilot))
        assert isinstance(pilot.app.screen, DashboardScreen)
        await pilot.press("escape")
        await top(pilot, MenuScreen)


# The menu


@pytest.mark.parametrize(("kind", "word"), [("watched", "finished"), ("vectors", "opened")])
async def test_the_menu_says_where_a_run_comes_from(tmp_path: Path, kind: str, word: str) -> None:
    foreign_run(tmp_path, "elsewhere", **KINDS[kind])
    async with LatentApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: pilot.app.screen.query_one(RunTable).run is not None)
        await pilot.press("tab")
        held = "60 vectors" if kind == "vectors" else "60 held-out latents"
        await until(pilot, lambda: held in " ".join(screen_text(pilot).split()))
        assert f"✓ {word}" in screen_text(pilot)
        assert "seed" not in screen_text(pilot) and "preset  " not in screen_text(pilot)
        for key in ("r", "b"):
            pilot.app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: notes(pilot) != "")
            assert "another program" in notes(pilot) or "opened from files" in notes(pilot)
        await pilot.press("enter")
        await top(pilot, ExplorerScreen if kind == "vectors" else DashboardScreen)


# The explorer


@pytest.mark.parametrize("size", SIZES)
async def test_a_map_without_labels_is_coloured_by_what_is_known(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = foreign_run(tmp_path, labels=False, bank=False)
    async with MenulessApp(tmp_path, open_path=run).run_test(size=size) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        screen = await explorer(pilot)
        assert "colour: density" in screen_text(pilot)
        for word in ("kNN", "label", "class"):
            assert word not in screen_text(pilot)
        await pilot.press("c")
        await until(pilot, lambda: "● cluster 3" in panel_text(screen, "explorer-map"))
        await until(pilot, lambda: "60" in panel_text(screen, "explorer-map").splitlines()[0])
        await pilot.press("o")  # the cluster at the cursor alone
        await until(pilot, lambda: "· 20 " in panel_text(screen, "explorer-map"))
        await pilot.press("c")  # other colours begin with every point
        await until(pilot, lambda: "· 60 " in panel_text(screen, "explorer-map"))


async def test_without_images_the_neighbours_are_listed(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, **KINDS["bare"])
    latents = centres(run)
    async with MenulessApp(tmp_path, open_path=run).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        screen = await explorer(pilot)
        await until(pilot, lambda: "nearest in 8-D latents" in screen_text(pilot))
        chosen = screen.query_one(ExplorerMap).selected
        assert chosen is not None
        away = np.linalg.norm(latents - latents[chosen], axis=1)
        nearest = [int(index) for index in np.argsort(away)[1:4]]
        listed = screen_text(pilot).partition("nearest in 8-D latents")[2].splitlines()[1:4]
        assert [int(line.split("│")[-2].split()[0]) for line in listed] == nearest
        await pilot.press("i")
        await until(pilot, lambda: "thumbnails=IMAGES" in notes(pilot))


def centres(run: Path) -> Any:
    from safetensors.numpy import load_file

    return load_file(run / "latents" / "last.safetensors")["query_latents"]


@pytest.mark.parametrize("size", SIZES)
async def test_clusters_and_marked_points_are_given_names(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = foreign_run(tmp_path, labels=False)
    async with MenulessApp(tmp_path, open_path=run).run_test(size=size) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        screen = await explorer(pilot)
        await pilot.press("T")
        await until(pilot, lambda: "Nothing to name yet" in notes(pilot))
        # A cluster
        await pilot.press("c")
        await until(pilot, lambda: "● cluster 3" in panel_text(screen, "explorer-map"))
        await pilot.press("T")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*"ink", "enter")
        await until(pilot, lambda: "● ink" in panel_text(screen, "explorer-map"))
        await until(pilot, lambda: "named “ink”" in screen_text(pilot))
        (group,) = read_groups(run)
        assert len({int(image) % 3 for image in group.images}) == 1  # one of the three classes
        assert len(group.images) == 20
        # Two marked points
        await pilot.press("m", "tab", "m")
        await until(pilot, lambda: "2 points marked" in screen_text(pilot))
        await pilot.press("T")
        await until(pilot, lambda: "The 2 marked points" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press("escape")
        await pilot.press("T", "escape")
        assert len(read_groups(run)) == 1  # nothing was named
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))
        # Found by its name under any colours
        await pilot.press("c", "slash", *"ink", "enter")
        await pilot.pause()
        assert "matches" not in notes(pilot)
        # Names of clusters are shown in later evaluations and after a new start
    async with MenulessApp(tmp_path, open_path=run).run_test(size=size) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        screen = await explorer(pilot)
        await until(pilot, lambda: "● ink" in panel_text(screen, "explorer-map"))


async def test_points_in_view_are_given_a_name(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=run).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await pilot.press("l")
        screen = await explorer(pilot)
        await pilot.press("plus", "plus")
        seen = screen.query_one(ExplorerMap).in_view()
        assert seen is not None and 0 < len(seen) < 60
        await pilot.press("T")
        await until(pilot, lambda: "points in view" in screen_text(pilot))
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*"here", "enter")
        await until(pilot, lambda: len(read_groups(run)) == 1)
        assert sorted(read_groups(run)[0].images.tolist()) == sorted(seen.tolist())


# Images


@pytest.mark.parametrize("kind", ["unlabelled", "watched", "opened"])
async def test_pages_without_a_network_say_so(tmp_path: Path, kind: str) -> None:
    run = foreign_run(tmp_path, **KINDS[kind])
    async with MenulessApp(tmp_path).run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(ViewerScreen(run, pilot.app.drawer))  # type: ignore[attr-defined]
        screen = await top(pilot, ViewerScreen)
        await until(pilot, lambda: "20 nearest" in screen_text(pilot))
        for key in ("1", "3", "4", "5"):
            pilot.app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: notes(pilot) != "")
            assert "not trained by tui-latent" in notes(pilot) or "no labels" in notes(pilot)
        await pilot.press("8")
        await until(pilot, lambda: "rank 0 of 0–59" in screen_text(pilot))
        await pilot.press("6")
        await until(pilot, lambda: "from image" in screen_text(pilot))
        await pilot.press("7")
        if kind == "unlabelled":
            await until(pilot, lambda: "There are no labels" in notes(pilot))
            assert "label" not in screen_text(pilot)
        else:
            await until(pilot, lambda: "class cat (0 of 0–2)" in screen_text(pilot))
        assert pilot.app.screen is screen


async def test_the_viewer_says_how_to_get_images(tmp_path: Path) -> None:
    for kind, way in (("bare", "thumbnails=IMAGES"), ("vectors", "--images FOLDER")):
        run = foreign_run(tmp_path, kind, **KINDS[kind])
        async with MenulessApp(tmp_path).run_test(size=(80, 24)) as pilot:
            pilot.app.push_screen(ViewerScreen(run, pilot.app.drawer))  # type: ignore[attr-defined]
            await top(pilot, ViewerScreen)
            await until(pilot, lambda way=way: way in " ".join(screen_text(pilot).split()))  # type: ignore[misc]


# Evaluation and comparison


@pytest.mark.parametrize("kind", ["bare", "watched"])
async def test_an_evaluation_shows_what_was_measured(tmp_path: Path, kind: str) -> None:
    run = foreign_run(tmp_path, **KINDS[kind])
    async with MenulessApp(tmp_path, open_path=run).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await pilot.press("t")
        screen = await top(pilot, EvaluationScreen)
        await until(pilot, lambda: "evaluated" in screen_text(pilot))
        assert "silhouette" in screen_text(pilot) and "trustworthiness" in screen_text(pilot)
        matrices = screen.query_one("#matrices")
        assert matrices.display == (kind == "watched")
        assert ("Classes by kNN" in screen_text(pilot)) == (kind == "watched")
        await pilot.press("u")
        if kind == "bare":
            await until(pilot, lambda: "tui-latent label RUN" in notes(pilot))
        else:
            await until(pilot, lambda: "class:cat" in screen_text(pilot))
            await pilot.press("escape")
        await pilot.press("escape")
        home = await dashboard(pilot)
        if kind == "bare":  # the dashboard shows what needs no labels
            await until(pilot, lambda: "silhouette" in panel_text(home, "space"))


@pytest.mark.parametrize("size", SIZES)
async def test_runs_from_elsewhere_are_compared(tmp_path: Path, size: tuple[int, int]) -> None:
    kinds = ("bare", "vectors")
    paths = [foreign_run(tmp_path, kind, **KINDS[kind]) for kind in kinds]
    async with MenulessApp(tmp_path).run_test(size=size) as pilot:
        pilot.app.push_screen(CompareScreen(paths, pilot.app.drawer))  # type: ignore[attr-defined]
        await top(pilot, CompareScreen)
        await until(pilot, lambda: "✓ opened" in screen_text(pilot))
        await pilot.press("n", "y", "X", "tab", "tab", "tab", "tab")
        assert isinstance(pilot.app.screen, CompareScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_opened_runs_are_compared_by_their_maps(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    paths = [foreign_run(tmp_path, name, **KINDS["vectors"]) for name in ("before", "after")]
    async with MenulessApp(tmp_path).run_test(size=size) as pilot:
        pilot.app.push_screen(CompareScreen(paths, pilot.app.drawer))  # type: ignore[attr-defined]
        await top(pilot, CompareScreen)
        await until(pilot, lambda: "•" in screen_text(pilot))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
async def test_no_key_of_the_explorer_ends_the_program(
    tmp_path: Path, kind: str, size: tuple[int, int]
) -> None:
    run = foreign_run(tmp_path, **KINDS[kind])
    async with MenulessApp(tmp_path, open_path=run).run_test(size=size) as pilot:
        if KINDS[kind].get("origin") != "opened":
            await dashboard(pilot)
            await pilot.press("l")
        screen = await explorer(pilot)
        for key in _EVERY_KEY.split():
            await pilot.press(key)
            await pilot.pause()
        assert pilot.app.screen is screen
        assert "Failed" not in screen_text(pilot)
