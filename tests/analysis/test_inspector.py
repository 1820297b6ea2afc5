"""Looking at a run's images and neighbours, on the bundled digits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tui_latent.analysis import InspectionError, RunInspector, preset_augmentations
from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import DataSettings, Preset
from tui_latent.datasets.sources import load_dataset
from tui_latent.runs.writer import RunWriter
from tui_latent.sources.errors import DataError

TABLE: dict[str, Any] = {
    "data": {"source": "digits"},
    "augment": {"rotate": 20, "translate": 0.1, "noise": 0.05},
    "method": {"name": "contrastive", "latent_dim": 2},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    writer = RunWriter.create(tmp_path / "runs", "digits-2d", preset().model_dump(mode="json"), {})
    writer.close()
    return writer.path


def preset(**changes: Any) -> Preset:
    return parse_preset(TABLE | changes, {}, where="test")


def write_latents(
    run: Path, seed: int = 0, dimensions: int = 2, *, changes: Mapping[str, torch.Tensor] = {}
) -> dict[str, torch.Tensor]:
    """Write latents as the trainer does: a new file in the place of the old one."""
    dataset = load_dataset(DataSettings(source="digits", draw="random"), 0)
    random = torch.Generator().manual_seed(seed)
    tensors = {
        "bank_latents": torch.randn(len(dataset.train), dimensions, generator=random),
        "bank_labels": dataset.train.labels,
        "query_latents": torch.randn(len(dataset.val), dimensions, generator=random),
        "query_labels": dataset.val.labels,
    } | dict(changes)
    path = run / "latents" / "last.safetensors"
    path.parent.mkdir(exist_ok=True)
    save_file(tensors, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
    return tensors


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, tui_latent.analysis; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_held_out_images_and_their_labels(run: Path) -> None:
    inspector = RunInspector(run)
    split = load_dataset(DataSettings(source="digits", draw="random"), 0).val
    assert inspector.held_out_size() == len(split)
    for index in (0, 7, len(split) - 1):
        image = inspector.image(index)
        assert image.shape == (8, 8, 1) and image.dtype == np.uint8
        assert np.array_equal(image[:, :, 0], split.images[index, 0].numpy())
        assert inspector.label(index) == str(int(split.labels[index]))


def test_the_sheet_has_the_original_first_and_views_that_a_seed_repeats(run: Path) -> None:
    inspector = RunInspector(run)
    sheet = inspector.augmentations([3, 11], views=4, seed=1)
    assert sheet.shape == (2, 5, 8, 8, 1) and sheet.dtype == np.uint8
    assert np.array_equal(sheet[0, 0], inspector.image(3))
    assert np.array_equal(sheet[1, 0], inspector.image(11))
    views = {view.tobytes() for row in sheet for view in row}
    assert len(views) == 10, "every view is drawn anew"
    assert np.array_equal(sheet, inspector.augmentations([3, 11], views=4, seed=1))
    assert not np.array_equal(sheet, inspector.augmentations([3, 11], views=4, seed=2))


def test_a_row_of_the_sheet_shows_views_of_its_own_image(run: Path) -> None:
    sheet = RunInspector(run).augmentations([3, 11, 20], views=40, seed=1).astype(float)
    for row, views in enumerate(sheet[:, 1:]):
        misfits = [np.abs(views.mean(axis=0) - original).mean() for original in sheet[:, 0]]
        assert np.argmin(misfits) == row


def test_without_augmentation_the_views_are_the_image(tmp_path: Path) -> None:
    still = preset(augment={})
    run = RunWriter.create(tmp_path / "runs", "still", still.model_dump(mode="json"), {}).path
    sheet = RunInspector(run).augmentations([5], views=2, seed=0)
    assert np.array_equal(sheet[0, 1], sheet[0, 0]) and np.array_equal(sheet[0, 2], sheet[0, 0])


def test_examples_take_the_classes_in_turn(run: Path) -> None:
    inspector = RunInspector(run)
    labels = [inspector.label(index) for index in inspector.examples(23)]
    assert labels == [str(digit) for digit in (*range(10), *range(10), 0, 1, 2)]
    assert len(set(inspector.examples(23))) == 23
    assert len(inspector.examples(10**6)) == inspector.held_out_size()


@pytest.mark.parametrize("dimensions", [2, 32])
def test_neighbours_are_the_nearest_training_images(run: Path, dimensions: int) -> None:
    tensors = write_latents(run, dimensions=dimensions)
    split = load_dataset(DataSettings(source="digits", draw="random"), 0).train
    found = RunInspector(run).neighbours(9, k=6)
    every = (tensors["bank_latents"] - tensors["query_latents"][9]).double().norm(dim=1)
    nearest = every.argsort()[:6]
    assert found.index == 9
    assert found.indices.tolist() == nearest.tolist()
    np.testing.assert_allclose(found.distances, every[nearest].numpy(), rtol=1e-5)
    assert found.labels == tuple(str(int(split.labels[row])) for row in nearest)
    assert np.array_equal(found.images[:, :, :, 0], split.images[nearest, 0].numpy())


def test_more_neighbours_than_images_are_all_there_are(run: Path) -> None:
    write_latents(run)
    found = RunInspector(run).neighbours(0, k=10**6)
    assert sorted(found.indices.tolist()) == list(range(len(found.indices)))
    assert len(found.indices) == len(
        load_dataset(DataSettings(source="digits", draw="random"), 0).train
    )


def test_latents_written_meanwhile_are_taken_up(run: Path) -> None:
    inspector = RunInspector(run)
    with pytest.raises(InspectionError, match="no latents yet: the first eval"):
        inspector.neighbours(0, k=3)
    write_latents(run, seed=1)
    first = inspector.neighbours(0, k=3)
    write_latents(run, seed=2)
    assert inspector.neighbours(0, k=3).indices.tolist() != first.indices.tolist()


def test_torn_latents_name_their_file(run: Path) -> None:
    write_latents(run)
    file = run / "latents" / "last.safetensors"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(InspectionError, match=r"last\.safetensors: cannot read latents"):
        RunInspector(run).neighbours(0, k=3)


def test_latents_without_their_labels_are_refused(run: Path) -> None:
    file = run / "latents" / "last.safetensors"
    file.parent.mkdir()
    save_file({"query_latents": torch.ones(3, 2)}, file)
    with pytest.raises(InspectionError, match="query_labels"):
        RunInspector(run).neighbours(0, k=3)


@pytest.mark.parametrize("broken", ["bank_latents", "query_latents"])
def test_latents_that_are_not_finite_are_named(run: Path, broken: str) -> None:
    diverged = write_latents(run)
    diverged[broken] = torch.full_like(diverged[broken], torch.nan)
    write_latents(run, changes=diverged)
    with pytest.raises(InspectionError, match="not finite: training has diverged"):
        RunInspector(run).neighbours(0, k=3)


def test_latents_of_other_data_are_refused(run: Path) -> None:
    other = {"query_latents": torch.ones(5, 2), "query_labels": torch.zeros(5).long()}
    write_latents(run, changes=other)
    with pytest.raises(InspectionError, match="digits has now: the data has changed"):
        RunInspector(run).neighbours(0, k=3)


@pytest.mark.parametrize("index", [-1, 10**6])
def test_an_image_that_is_not_there_is_named(run: Path, index: int) -> None:
    inspector = RunInspector(run)
    for ask in (inspector.image, inspector.label, lambda i: inspector.neighbours(i, 1)):
        with pytest.raises(
            InspectionError, match=f"no held-out image {index:,}: they are numbered 0"
        ):
            ask(index)
    with pytest.raises(InspectionError, match="no held-out image"):
        inspector.augmentations([0, index], views=1, seed=0)


def test_missing_data_are_named_when_they_are_needed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise DataError("digits are not in /data: get them")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", load)
    inspector = RunInspector(run)
    with pytest.raises(InspectionError, match="digits are not in /data: get them"):
        inspector.image(0)


def test_a_folder_that_is_not_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match=r"preset\.toml"):
        RunInspector(tmp_path)


def test_views_of_a_preset_before_any_run() -> None:
    sheet = preset_augmentations(preset(), images=3, views=2, seed=4)
    assert sheet.shape == (3, 3, 8, 8, 1)
    split = load_dataset(DataSettings(source="digits", draw="random"), 0).val
    for row, digit in enumerate(range(3)):
        first = int((split.labels == digit).nonzero()[0])
        assert np.array_equal(sheet[row, 0, :, :, 0], split.images[first, 0].numpy())


def test_features_are_no_matter_of_looking() -> None:
    hog = preset(data={"source": "digits", "inputs": "hog"})
    assert preset_augmentations(hog, images=1, views=1, seed=0).shape == (1, 2, 8, 8, 1)


def test_real_mnist(mnist_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_LATENT_DATA", str(mnist_data))
    mnist = preset(data={"source": "mnist"})
    assert preset_augmentations(mnist, images=10, views=3, seed=0).shape == (10, 4, 28, 28, 1)
