"""The image viewer, over a run of known images and neighbours."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.known_images import KnownImages, KnownLandings, NothingThere, known_distant
from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, notes, until
from tests.waiting import patience
from tui_latent import analysis
from tui_latent.analysis.view_spread import ViewSpread
from tui_latent.config.settings import Preset
from tui_latent.preferences.kept import Kept
from tui_latent.tui import messages
from tui_latent.tui.charts.image_grid import ImageSheet
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.screens.images.page_bar import PageBar
from tui_latent.tui.screens.images.preset_images import PresetImagesScreen
from tui_latent.tui.screens.images.screen import ViewerScreen


def text_of(pilot: Pilot[Any]) -> str:
    screen = pilot.app.screen
    sheet = screen.query_one(ImageSheet)
    lines = [sheet.render_line(y).text for y in range(sheet.size.height)]
    facts = screen.query_one("#facts", Static).render()
    return "\n".join([str(facts), *lines])


def map_text(pilot: Pilot[Any]) -> str:
    panel = pilot.app.screen.query_one(ScatterPanel)
    return "\n".join(panel.render_line(y).text for y in range(panel.size.height))


def colours(pilot: Pilot[Any]) -> set[int]:
    """Return the grey levels painted on the sheet."""
    sheet = pilot.app.screen.query_one(ImageSheet)
    seen = set()
    for y in range(sheet.size.height):
        for segment in sheet.render_line(y):
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour is not None and colour.triplet is not None:
                    red, green, blue = colour.triplet
                    seen |= {red} if red == green == blue else set()
    return seen


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MenulessApp:
    monkeypatch.setattr(analysis, "RunInspector", KnownImages)
    monkeypatch.setattr("tui_latent.analysis.view_spread.ViewSpreads", KnownLandings)
    monkeypatch.setattr("tui_latent.analysis.class_extremes.most_distant", known_distant)
    return MenulessApp(tmp_path)


def augmented_run(runs: Path) -> Path:
    """Return a run whose preset rotates its views."""
    path = trained_run(runs).path
    preset = path / "preset.toml"
    preset.write_text(preset.read_text().replace("[augment]\n", "[augment]\nrotate = 15.0\n"))
    return path


async def opened(pilot: Pilot[Any], tmp_path: Path) -> None:
    app = pilot.app
    assert isinstance(app, MenulessApp)
    app.show_images(messages.ViewerRequested(augmented_run(tmp_path)))
    await until(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen))
    await until(pilot, lambda: "loading" not in text_of(pilot))


async def opened_again(pilot: Pilot[Any]) -> None:
    """Leave the viewer, and open it for the same run."""
    app, viewer = pilot.app, pilot.app.screen
    assert isinstance(app, MenulessApp) and isinstance(viewer, ViewerScreen)
    await pilot.press("escape")
    app.show_images(messages.ViewerRequested(viewer._run.path))
    await until(pilot, lambda: app.screen is not viewer and isinstance(app.screen, ViewerScreen))
    await until(pilot, lambda: "loading" not in text_of(pilot))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_original_stands_left_of_its_views(
    app: MenulessApp, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await opened(pilot, tmp_path)
        await until(pilot, lambda: "20th neighbour" in text_of(pilot))
        text = text_of(pilot)
        captions = next(line for line in text.splitlines() if "original" in line)
        assert captions.index("original") < captions.index("blue 0")
        assert "held-out image 0 of 0–29 · label blue · draw 1" in text
        assert {0, 50} <= colours(pilot)


async def test_a_new_draw_shows_other_views_of_the_same_image(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("n")
        await until(pilot, lambda: "draw 2" in text_of(pilot))
        assert {0, 51} <= colours(pilot)
        assert 50 not in colours(pilot)


async def test_images_are_gone_through_and_asked_for_by_number(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("up")
        assert "held-out image 0 " in text_of(pilot)
        await pilot.press("down")
        await until(pilot, lambda: "held-out image 1 of" in text_of(pilot))
        assert "label [red]" in text_of(pilot)
        await pilot.press("slash", "2", "7", "enter")
        await until(pilot, lambda: "held-out image 27 of" in text_of(pilot))
        await pilot.press("slash", "9", "9", "enter")
        await pilot.pause()
        assert "held-out image 27 of" in text_of(pilot)


async def test_neighbours_come_with_distance_and_label_and_wrong_ones_are_marked(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("down", "2")
        await until(pilot, lambda: "[red] ×12, blue ×8" in text_of(pilot))
        assert "[red] .250" in text_of(pilot)
        await pilot.press("minus", "minus")
        await until(pilot, lambda: "✗…e 3.00" in text_of(pilot))
        assert "✗ [" not in text_of(pilot)
        assert {1, 100, 119} <= colours(pilot)


async def test_the_most_distant_images_have_the_last_row(app: MenulessApp, tmp_path: Path) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("2")
        await until(pilot, lambda: "far 40.0" in text_of(pilot))
        lines = text_of(pilot).splitlines()
        last = next(line for line in lines if line.startswith("farthest"))
        assert "far 40.0" in last and "far 39.0" in last and "[red]" not in last
        assert {0, 100, 200, 201} <= colours(pilot)


async def test_the_views_land_beside_their_image_on_the_map(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        words = "90 % of views within 3.00 (20th neighbour .500) · 12 of 24 nearest to class blue"
        await until(pilot, lambda: words in text_of(pilot))
        assert "weights of step 700" in text_of(pilot), "the map is of step 720"
        assert "✗ [red] 3.00" in text_of(pilot) and "blue 0" in text_of(pilot)
        await until(pilot, lambda: "◆" in map_text(pilot))
        [row] = [line for line in map_text(pilot).splitlines() if "◆" in line]
        assert "+" in row[row.index("◆") :], "to the right of the image, and as high"


async def test_a_narrow_screen_shows_the_map_when_asked(app: MenulessApp, tmp_path: Path) -> None:
    app.kept = Kept(None, tmp_path / "cache")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path)
        await until(pilot, lambda: "20th neighbour" in text_of(pilot))
        shown = pilot.app.screen.query_one(ScatterPanel)
        assert not shown.region.area
        await pilot.press("l")
        await until(pilot, lambda: shown.region.area > 0 and "◆" in map_text(pilot))
        assert "original" in text_of(pilot)
        await opened_again(pilot)
        shown = pilot.app.screen.query_one(ScatterPanel)
        await until(pilot, lambda: shown.region.area > 0 and "◆" in map_text(pilot))
        await pilot.press("l")
        await until(pilot, lambda: not shown.region.area)


async def test_where_views_land_may_be_unknown(
    app: MenulessApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> ViewSpread:
        raise analysis.InspectionError("no [red]checkpoint yet")

    monkeypatch.setattr(KnownLandings, "land", lost)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        await until(pilot, lambda: "unknown: no [red]checkpoint yet" in text_of(pilot))
        assert "view 1" in text_of(pilot)


async def test_a_page_without_a_decoder_is_greyed_and_its_key_says_why(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot, tmp_path)
        keys = app.screen.active_bindings
        assert {key: keys[key].enabled for key in "34568"} == {
            "3": False,
            "4": False,
            "5": False,
            "6": True,
            "8": True,
        }
        await pilot.press("4")
        await until(pilot, lambda: bool(app._notifications))
        [told] = app._notifications
        assert told.title == "Samples" and "contrastive has no decoder" in told.message


async def test_pages_are_named_in_a_line_and_open_by_a_click(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path)
        line = str(app.screen.query_one(PageBar).render())
        names = "1 Views 2 Near 3 Recon 4 Samples 5 Sliders 6 Interp 7 Extremes 8 Odd"
        assert " ".join(line.split()) == names
        await pilot.click(PageBar, offset=(1 + line.index("Near"), 0))
        await until(pilot, lambda: "far 40.0" in text_of(pilot))


async def test_images_that_are_gone_are_named_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "RunInspector", NothingThere)
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path)
        assert "set TUI_LATENT_DATA" in " ".join(text_of(pilot).split())
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ViewerScreen))


async def test_of_what_is_asked_for_meanwhile_only_the_newest_is_looked_up(
    app: MenulessApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[int] = []
    may_go = threading.Event()

    def slowly(images: KnownImages, indices: Sequence[int], views: int, seed: int) -> Any:
        may_go.wait(patience())
        looked_up.append(indices[0])
        return original(images, indices, views, seed)

    original = KnownImages.augmentations
    monkeypatch.setattr(KnownImages, "augmentations", slowly)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(ViewerScreen(augmented_run(tmp_path), app.drawer))
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        assert "Loading the images" in text_of(pilot)
        may_go.set()
        await until(pilot, lambda: "held-out image 0 of" in text_of(pilot))
        may_go.clear()
        await pilot.press(*["down"] * 9)
        may_go.set()
        await until(pilot, lambda: "held-out image 9 of" in text_of(pilot))
        assert looked_up == [0, 1, 9]


async def test_a_look_up_that_breaks_is_reported_and_the_keys_go_on(
    app: MenulessApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(images: KnownImages, index: int, k: int) -> Any:
        raise MemoryError("no [red]room")

    monkeypatch.setattr(KnownImages, "neighbours", broken)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("2")
        await until(pilot, lambda: "no [red]room" in text_of(pilot))
        await pilot.press("1")
        await until(pilot, lambda: "original" in text_of(pilot))


async def test_a_presets_views_are_drawn_once_for_all_its_images(
    app: MenulessApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws: list[int] = []

    def known(preset: Preset, images: int, views: int, seed: int) -> NDArray[np.uint8]:
        draws.append(seed)
        sheet = np.full((3, 1 + views, 8, 8, 3), 50 + seed, np.uint8)
        sheet[:, 0] = np.arange(3)[:, None, None, None]
        return sheet

    monkeypatch.setattr(analysis, "preset_augmentations", known)
    preset = Preset.model_validate(
        {
            "data": {"source": "digits"},
            "augment": {"rotate": 15},
            "method": {"name": "contrastive", "latent_dim": 2},
        }
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(PresetImagesScreen("[red]mine", preset))
        await until(pilot, lambda: "view 1" in text_of(pilot))
        assert "image 0 of 0–2 · draw 1\nrotate ±15°" in text_of(pilot)
        assert "[red]mine" in str(app.screen.query_one("#title", Static).render())
        await pilot.press("down", "down", "down", "down")
        await until(pilot, lambda: "image 2 of" in text_of(pilot))
        assert draws == [0] and {2, 50} <= colours(pilot)
        await pilot.press("n")
        await until(pilot, lambda: "draw 2" in text_of(pilot))
        assert draws == [0, 1] and {2, 51} <= colours(pilot)


async def test_greyed_keys_are_those_that_do_nothing_on_this_page(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)

        def enabled() -> dict[str, bool]:
            keys = app.screen.active_bindings
            return {key: keys[key].enabled for key in "12n" if key in keys}

        assert enabled() == {"1": False, "n": True, "2": True}
        await pilot.press("2")
        await until(pilot, lambda: "×12" in text_of(pilot))
        assert enabled() == {"1": True, "2": False}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_it_looks_as_it_should(
    app: MenulessApp, tmp_path: Path, snap_compare: Any, size: tuple[int, int]
) -> None:
    async def neighbours(pilot: Pilot[Any]) -> None:
        await opened(pilot, tmp_path)
        await pilot.press("2")
        await until(pilot, lambda: "×12" in text_of(pilot))

    assert snap_compare(app, terminal_size=size, run_before=neighbours)


async def test_a_run_without_augmentation_opens_on_a_page_that_says_something(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(ViewerScreen(trained_run(tmp_path).path, app.drawer))
        await until(pilot, lambda: "nearest training images" in text_of(pilot))
        await pilot.press("1")
        await until(pilot, lambda: "trains without augmentation" in notes(pilot))
        assert "nearest training images" in text_of(pilot)


async def test_a_preset_without_augmentation_shows_its_images_and_no_copies_of_them(
    app: MenulessApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(preset: Preset, images: int, views: int, seed: int) -> NDArray[np.uint8]:
        sheet = np.zeros((3, 1 + views, 8, 8, 3), np.uint8)
        return sheet + np.arange(3, dtype=np.uint8)[:, None, None, None, None] * 40

    monkeypatch.setattr(analysis, "preset_augmentations", known)
    method = {"name": "autoencoder", "latent_dim": 2}
    preset = Preset.model_validate({"data": {"source": "digits"}, "method": method})
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(PresetImagesScreen("mine", preset))
        await until(pilot, lambda: "this preset trains without augmentation" in text_of(pilot))
        text = text_of(pilot)
        assert "view 1" not in text and all(f"image {at}" in text for at in range(3))
        assert {0, 40, 80} <= colours(pilot)
        await pilot.press("down")
        await until(pilot, lambda: "image 1 of 0–2" in text_of(pilot))
        await until(pilot, lambda: "n" not in app.screen.active_bindings)


def _ends_with(values: Sequence[object], last: object) -> bool:
    return values[-1] == last


async def test_each_channel_of_many_is_shown_alone(
    app: MenulessApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...] | None] = []

    class Colours(KnownImages):
        def __init__(self, path: Path, source: Any = None) -> None:
            super().__init__(path)
            self.source = source

        def augmentations(self, indices: Sequence[int], views: int, seed: int) -> NDArray[np.uint8]:
            seen.append(self.source.channels)
            return super().augmentations(indices, views, seed)

    monkeypatch.setattr(analysis, "RunInspector", Colours)
    monkeypatch.setattr(analysis.RunData, "channel_count", lambda self: 2)
    app.kept = Kept(None, tmp_path / "cache")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path)
        title = pilot.app.screen.query_one("#title", Static)
        await until(pilot, lambda: "channel 0 of 0–1, as grey" in str(title.render()))
        for expected in ((0,), (1,), None, (0,)):
            await pilot.press("c")
            await until(pilot, partial(_ends_with, seen, expected))
        await opened_again(pilot)
        title = pilot.app.screen.query_one("#title", Static)
        await until(pilot, lambda: "channel 0 of 0–1, as grey" in str(title.render()))
        assert seen[-1] == (0,)
        # Another run of the same name, whose images have three colours.
        monkeypatch.setattr(analysis.RunData, "channel_count", lambda self: 3)
        await opened_again(pilot)
        await until(pilot, partial(_ends_with, seen, None))
