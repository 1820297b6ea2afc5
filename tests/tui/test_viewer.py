"""The image viewer, over a run of known images and neighbours."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, until
from tui_latent import inspection
from tui_latent.settings import Preset
from tui_latent.tui.screens.viewer import PresetImagesScreen, ViewerScreen
from tui_latent.tui.widgets.pixels import ImageSheet

IMAGES = 30


class KnownImages:
    """Stands for `RunInspector`: image n is n everywhere, a view of it n + 50 + seed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def held_out_size(self) -> int:
        return IMAGES

    def image(self, index: int) -> NDArray[np.uint8]:
        return np.full((8, 8, 1), index, np.uint8)

    def label(self, index: int) -> str:
        return "[red]" if index % 2 else "blue"

    def augmentations(self, indices: Sequence[int], views: int, seed: int) -> NDArray[np.uint8]:
        sheet = np.full((1, 1 + views, 8, 8, 1), indices[0] + 50 + seed, np.uint8)
        sheet[:, 0] = indices[0]
        return sheet

    def neighbours(self, index: int, k: int) -> inspection.Neighbours:
        labels = tuple("[red]" if n < 12 else "blue" for n in range(k))
        images = np.stack([np.full((8, 8, 1), 100 + n, np.uint8) for n in range(k)])
        distances = np.arange(k) / 4
        return inspection.Neighbours(index, np.arange(k), distances, labels, images)


class NothingThere(KnownImages):
    """Stands for the inspector of a run whose images are gone."""

    def held_out_size(self) -> int:
        raise inspection.InspectionError("mnist is not in /data: set TUI_LATENT_DATA")


def text_of(pilot: Pilot[Any]) -> str:
    screen = pilot.app.screen
    sheet = screen.query_one(ImageSheet)
    lines = [sheet.render_line(y).text for y in range(sheet.size.height)]
    facts = screen.query_one("#facts", Static).render()
    return "\n".join([str(facts), *lines])


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
    monkeypatch.setattr(inspection, "RunInspector", KnownImages)
    return MenulessApp(tmp_path)


async def opened(pilot: Pilot[Any], tmp_path: Path) -> None:
    pilot.app.push_screen(ViewerScreen(trained_run(tmp_path).path))
    await until(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen))
    await until(pilot, lambda: "loading" not in text_of(pilot))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_original_stands_left_of_its_views(
    app: MenulessApp, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await opened(pilot, tmp_path)
        text = text_of(pilot)
        captions = next(line for line in text.splitlines() if "original" in line)
        assert captions.index("original") < captions.index("view 1")
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
        await pilot.press("2", "7", "enter")
        await until(pilot, lambda: "held-out image 27 of" in text_of(pilot))
        await pilot.press("9", "9", "enter")
        await pilot.pause()
        assert "held-out image 27 of" in text_of(pilot)


async def test_neighbours_come_with_distance_and_label_and_wrong_ones_are_marked(
    app: MenulessApp, tmp_path: Path
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("down", "k")
        await until(pilot, lambda: "[red] ×12, blue ×8" in text_of(pilot))
        assert "[red] .250" in text_of(pilot)
        await pilot.press("z", "z")
        await until(pilot, lambda: "✗ b…3.00" in text_of(pilot))
        assert "✗ [" not in text_of(pilot)
        assert {1, 100, 119} <= colours(pilot)


async def test_images_that_are_gone_are_named_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "RunInspector", NothingThere)
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
        may_go.wait(10)
        looked_up.append(indices[0])
        return original(images, indices, views, seed)

    original = KnownImages.augmentations
    monkeypatch.setattr(KnownImages, "augmentations", slowly)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(ViewerScreen(trained_run(tmp_path).path))
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        assert "loading the images" in text_of(pilot)
        may_go.set()
        await until(pilot, lambda: "held-out image 0 of" in text_of(pilot))
        may_go.clear()
        await pilot.press(*["down"] * 9)
        may_go.set()
        await until(pilot, lambda: "held-out image 9 of" in text_of(pilot))
        assert looked_up == [0, 1, 9]


async def test_a_look_up_that_breaks_is_told_and_the_keys_go_on(
    app: MenulessApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(images: KnownImages, index: int, k: int) -> Any:
        raise MemoryError("no [red]room")

    monkeypatch.setattr(KnownImages, "neighbours", broken)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, tmp_path)
        await pilot.press("k")
        await until(pilot, lambda: "no [red]room" in text_of(pilot))
        await pilot.press("a")
        await until(pilot, lambda: "view 1" in text_of(pilot))


async def test_a_presets_views_are_drawn_once_for_all_its_images(
    app: MenulessApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws: list[int] = []

    def known(preset: Preset, images: int, views: int, seed: int) -> NDArray[np.uint8]:
        draws.append(seed)
        sheet = np.full((3, 1 + views, 8, 8, 3), 50 + seed, np.uint8)
        sheet[:, 0] = np.arange(3)[:, None, None, None]
        return sheet

    monkeypatch.setattr(inspection, "preset_augmentations", known)
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
            return {key: keys[key].enabled for key in "ank"}

        assert enabled() == {"a": False, "n": True, "k": True}
        await pilot.press("k")
        await until(pilot, lambda: "×12" in text_of(pilot))
        assert enabled() == {"a": True, "n": False, "k": False}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_it_looks_as_it_should(
    app: MenulessApp, tmp_path: Path, snap_compare: Any, size: tuple[int, int]
) -> None:
    async def neighbours(pilot: Pilot[Any]) -> None:
        await opened(pilot, tmp_path)
        await pilot.press("k")
        await until(pilot, lambda: "×12" in text_of(pilot))

    assert snap_compare(app, terminal_size=size, run_before=neighbours)
