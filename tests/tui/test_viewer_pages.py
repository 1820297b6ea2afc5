"""The pages of the image viewer, over runs that were really trained."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from textual.pilot import Pilot
from textual.widgets import Static

from tests.trained_runs import store, stored
from tests.tui.pilots import MenulessApp, until
from tui_latent.analysis import RunData, RunInspector
from tui_latent.analysis.decoding import RunDecoder
from tui_latent.analysis.sampling import ClassSampler
from tui_latent.tui.app import LatentApp
from tui_latent.tui.charts.image_cells import Pixels
from tui_latent.tui.charts.image_grid import ImageSheet
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.screens.images.screen import ViewerScreen
from tui_latent.tui.screens.images.sliders_widget import LatentSliders

Trained = Callable[[str], Path]
SIZES = [(80, 24), (120, 40)]


def text_of(pilot: Pilot[Any]) -> str:
    sheet = pilot.app.screen.query_one(ImageSheet)
    lines = [sheet.render_line(y).text for y in range(sheet.size.height)]
    facts = str(pilot.app.screen.query_one("#facts", Static).render())
    return "\n".join([facts, *lines])


def left(pilot: Pilot[Any]) -> Pixels:
    """Return the image at the left of the sheet."""
    tile = pilot.app.screen.query_one(ImageSheet)._left
    assert tile is not None
    return tile.image


def others(pilot: Pilot[Any]) -> list[Pixels]:
    return [tile.image for tile in pilot.app.screen.query_one(ImageSheet)._others]


async def page(pilot: Pilot[Any], key: str, run: Path, words: str) -> ViewerScreen:
    """Open the viewer on a run and one of its pages; return when it says some words."""
    app = pilot.app
    assert isinstance(app, LatentApp)
    screen = ViewerScreen(run, app.drawer)
    await pilot.app.push_screen(screen)
    await pilot.press(key)
    await until(pilot, lambda: words in text_of(pilot))
    return screen


@pytest.mark.parametrize("size", SIZES)
async def test_reconstructions_stand_below_their_images(
    trained: Trained, tmp_path: Path, size: tuple[int, int]
) -> None:
    run = trained("autoencoder")
    expected = RunDecoder(RunData(run)).reconstruct([0, 1])
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        await page(pilot, "3", run, "above its reconstruction")
        pair = left(pilot)
        assert np.array_equal(pair[:8, :, :1], expected.originals[0])
        assert np.array_equal(pair[-8:, :, :1], expected.images[0])
        assert not pair[8:-8, :, 3].any(), "nothing between them"
        await pilot.press("down")
        await until(pilot, lambda: "held-out image 1 of" in text_of(pilot))
        assert np.array_equal(left(pilot)[:8, :, :1], expected.originals[1])
        error = f"{expected.errors[1]:.3f}".lstrip("0")
        assert error in text_of(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_samples_say_what_lda_takes_them_for(
    trained: Trained, tmp_path: Path, size: tuple[int, int]
) -> None:
    run = trained("autoencoder")
    expected = ClassSampler(RunData(run)).sample(1, 128, seed=0)
    assert expected.recognised is not None
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        await page(pilot, "4", run, "class 0 (0 of 0–9) · draw 1")
        await pilot.press("down")
        await until(pilot, lambda: "class 1 (1 of 0–9)" in text_of(pilot))
        text = text_of(pilot)
        assert f"LDA classifies {expected.agreeing} of 128 samples as ‘1’" in text
        again = int((expected.recognised == 1).sum())
        assert f"embedded again, {again} of their images are classified as ‘1’" in text
        assert np.array_equal(others(pilot)[5], expected.images[5])
        wrong = [called for called in expected.called[:6].tolist() if called != 1]
        assert all(f"✗ {called}" in text for called in wrong)
        await pilot.press("n")
        await until(pilot, lambda: "draw 2" in text_of(pilot))
        assert not np.array_equal(others(pilot)[5], expected.images[5])


@pytest.mark.parametrize("size", SIZES)
async def test_sliders_decode_where_they_stand(
    trained: Trained, tmp_path: Path, size: tuple[int, int]
) -> None:
    run = trained("autoencoder")
    bank, labels = stored(run)["bank_latents"].double(), stored(run)["bank_labels"]
    decoder = RunDecoder(RunData(run))
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        await page(pilot, "5", run, "decoded")
        assert np.array_equal(left(pilot), decoder.decode(bank.mean(0)[None].numpy())[0])
        await pilot.press(*"nnnnn")
        mean = bank[labels == 4].mean(0)
        at_mean = decoder.decode(mean[None].numpy())[0]
        await until(pilot, lambda: np.array_equal(left(pilot), at_mean))
        await pilot.press("down", "shift+right", "shift+right")
        latent = app.screen.query_one(LatentSliders).latent
        assert latent is not None and latent[1] > float(mean[1])
        assert [latent[0], *latent[2:]] == pytest.approx([float(mean[0]), *mean[2:].tolist()])
        moved = decoder.decode(np.array(latent)[None])[0]
        await until(pilot, lambda: np.array_equal(left(pilot), moved))
        assert not np.array_equal(moved, at_mean)


async def test_keys_of_sliders_leave_other_pages_alone(trained: Trained, tmp_path: Path) -> None:
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await page(pilot, "5", trained("autoencoder"), "decoded")
        await pilot.press("down", "right", "n", "6")
        await until(pilot, lambda: "from image 0 (↑↓) to 1" in text_of(pilot))
        assert not app.screen.query_one(LatentSliders).region.area
        await pilot.press("right")
        await until(pilot, lambda: "from image 0 (↑↓) to 2" in text_of(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "from image 1 (↑↓) to 2" in text_of(pilot))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "words"), [("autoencoder", "decoded · "), ("vicreg", "no decoder: training")]
)
async def test_a_walk_shows_every_step_and_both_ends(
    trained: Trained, tmp_path: Path, size: tuple[int, int], name: str, words: str
) -> None:
    run = trained(name)
    inspector = RunInspector(run)
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        await page(pilot, "6", run, words)
        sheet = app.screen.query_one(ImageSheet)
        assert sheet.shown == len(others(pilot)) == 9
        assert np.array_equal(left(pilot), inspector.image(0))
        assert np.array_equal(others(pilot)[-1], inspector.image(1))
        assert f"to {inspector.label(1)}" in text_of(pilot)


async def test_a_walk_runs_over_the_map(trained: Trained, tmp_path: Path) -> None:
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await page(pilot, "6", trained("contrastive"), "no decoder")
        panel = app.screen.query_one(ScatterPanel)

        def digits() -> str:
            lines = (panel.render_line(y).text for y in range(panel.content_size.height))
            return "".join(re.findall(r"\d", "".join(lines)))

        await until(pilot, lambda: "0" in digits())
        assert set(digits()) <= set("01234567")


@pytest.mark.parametrize("size", SIZES)
async def test_the_extremes_of_a_class_and_the_most_anomalous_images(
    trained: Trained, tmp_path: Path, size: tuple[int, int]
) -> None:
    run = trained("vicreg")
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size) as pilot:
        await page(pilot, "7", run, "class 0 (0 of 0–9) · 40 training images")
        assert any(line.startswith("farthest") for line in text_of(pilot).splitlines())
        await pilot.press("8")
        await until(pilot, lambda: "rank 0 of 0–" in text_of(pilot))
        found = re.search(r"held-out image (\d+) · label (\d)", text_of(pilot))
        assert found is not None
        await pilot.press("2")
        await until(pilot, lambda: f"held-out image {found[1]} of" in text_of(pilot))
        assert f"label {found[2]}" in text_of(pilot), "the neighbours of the anomalous image"


async def test_without_its_data_a_run_is_still_sampled_and_slid_through(
    trained: Trained, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run = trained("autoencoder")
    request.getfixturevalue("no_digits")
    app = MenulessApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await page(pilot, "2", run, "digits are not in /data: mount it")
        await pilot.press("4")
        await until(pilot, lambda: "of 128 samples" in text_of(pilot))
        assert "cannot be embedded again: digits are not in /data" in text_of(pilot)
        await pilot.press("5")
        await until(pilot, lambda: "decoded" in text_of(pilot))
        await pilot.press("enter")
        sliders = app.screen.query_one(LatentSliders)
        own = stored(run)["query_latents"][0].tolist()
        assert sliders.latent == pytest.approx(own)
        for key in "23678":
            await pilot.press(key)
            await until(pilot, lambda: "digits are not in /data: mount it" in text_of(pilot))


@pytest.mark.parametrize("name", ["two-images", "equal"])
async def test_every_page_of_a_run_that_says_little_says_something(
    trained: Trained, tmp_path: Path, name: str
) -> None:
    if name == "equal":
        run = shutil.copytree(trained("autoencoder"), tmp_path / "equal")
        held_out = len(stored(run)["query_latents"])
        equal = torch.full((400, 7), 0.5)
        store(run, bank_latents=equal, query_latents=equal[:1].repeat(held_out, 1))
    else:
        run = trained(name)
    app = MenulessApp(tmp_path)
    said = {
        "2": "nearest training images",
        "3": "above its reconstruction",
        "4": "of 128 samples",
        "5": "98 % of the training images",
        "6": "length",
        "7": "nearest to the class mean",
        "8": "rank 0 of",
    }
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(ViewerScreen(run, app.drawer))
        await until(pilot, lambda: "above its reconstruction" in text_of(pilot))
        for key, words in said.items():
            await pilot.press(key)
            await until(pilot, lambda words=words: words in text_of(pilot))  # type: ignore[misc]
            assert "fail" not in text_of(pilot)
