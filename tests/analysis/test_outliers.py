"""Outliers: what names them, what shape they take, and what the network makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from tests.analysis.conftest import write_latents
from tests.training.conftest import SMALL
from tui_latent.analysis import RunData
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.evaluation_errors import OutliersError
from tui_latent.analysis.outlier_embedding import as_shape
from tui_latent.analysis.outliers import Outliers, parse_outliers
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.start import create_run, train_run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mnist", Outliers("dataset", "mnist")),
        ("fashion", Outliers("dataset", "fashion-mnist")),
        ("folder:/a/b: c", Outliers("folder", "/a/b: c")),
        ("arrays:x.npz", Outliers("arrays", "x.npz")),
        ("class:7", Outliers("class", "7")),
    ],
)
def test_what_names_outliers(text: str, expected: Outliers) -> None:
    assert parse_outliers(text) == expected


@pytest.mark.parametrize("text", ["mnits", "class:", "http://x", "folder"])
def test_what_names_none_is_told_what_would(text: str) -> None:
    with pytest.raises(
        OutliersError, match=r"mnist.*folder:PATH, arrays:FILE\.npz, manifest:TABLE, class:NAME"
    ):
        parse_outliers(text)


def test_grey_is_as_pillow_makes_it_and_what_was_done_is_reported() -> None:
    random = np.random.default_rng(0)
    colour = random.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    images = torch.from_numpy(colour).movedim(3, 1).contiguous()
    grey, changes = as_shape(images, (1, 8, 8))
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])
    assert np.abs(grey[:, 0].numpy().astype(int) - expected).max() <= 1
    assert changes == ["converted to grey"]


def test_images_of_another_size_and_kind_take_the_runs_shape() -> None:
    images = torch.full((2, 1, 20, 30), 77, dtype=torch.uint8)
    for shape in ((3, 8, 8), (3, 6, 9)):
        changed, changes = as_shape(images, shape)
        assert changed.shape == (2, *shape) and bool((changed == 77).all())
        assert changes[0] == f"resized from 20x30 to {shape[1]}x{shape[2]}"
        assert "three channels" in changes[1]
    same, nothing = as_shape(images, (1, 20, 30))
    assert same is images and nothing == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run trained on five of the ten digits."""
    few = SMALL | {"data.classes": ["0", "1", "2", "3", "4"]}
    preset = load_preset("digits-contrastive-2d", few | {"stages": []})
    path = create_run("digits", preset, tmp_path_factory.mktemp("runs"))
    assert train_run(path).state == "finished"
    return path


def brute_auc(run: Path, outliers: torch.Tensor) -> float:
    """Embed uint8 outliers and compare them with the run's latents, by scikit-learn."""
    source = RunData(run)
    latents = load_file(run / "latents" / "last.safetensors")
    with torch.inference_mode():
        pixels = source.inputs().normalise(outliers.float() / 255)
        outlying = source.model().method.embed(pixels).numpy()
    search = NearestNeighbors(n_neighbors=5).fit(latents["bank_latents"].numpy())
    both = np.concatenate([latents["query_latents"].numpy(), outlying])
    truth = np.arange(len(both)) >= len(latents["query_latents"])
    return float(roc_auc_score(truth, search.kneighbors(both)[0].mean(axis=1)))


def test_a_class_that_was_never_seen(trained: Path) -> None:
    (curve,) = evaluate_run(trained, "class:7")["outliers"]
    seven = load_dataset(DataSettings(source="digits", classes=("7",), draw="random"), 0).val.images
    assert curve["auc"] == pytest.approx(brute_auc(trained, seven), abs=1e-4)
    assert (curve["outliers"], curve["images"], curve["notes"]) == ("class 7", len(seven), [])


def test_a_folder_of_colour_images(trained: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(6):
            pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    found = evaluate_run(trained, f"folder:{tmp_path}")
    curve = found["outliers"][0]
    assert curve["images"] == 12 and "converted to grey" in curve["notes"]
    assert any(note.startswith("resized from") for note in curve["notes"])
    assert 0 <= curve["auc"] <= 1 and "outliers" not in found["missing"]


@pytest.mark.parametrize("outliers", ["class:nix", "folder:/no/such/folder"])
def test_outliers_that_cannot_be_read_are_the_reason(trained: Path, outliers: str) -> None:
    found = evaluate_run(trained, outliers)
    assert outliers.partition(":")[2] in found["missing"]["outliers"]


def test_latents_of_another_step_than_the_networks_are_made_anew(trained: Path) -> None:
    """Latents of step 4 beside the network of step 6 would not be one space."""
    file = trained / "latents" / "last.safetensors"
    right = load_file(file)
    (expected,) = evaluate_run(trained, "class:8")["outliers"][:1]
    shifted = {name: t + 1000 if name.endswith("latents") else t for name, t in right.items()}
    write_latents(trained, 4, **shifted)
    found = evaluate_run(trained, "class:8")
    write_latents(trained, 6, **right)
    (curve,) = found["outliers"]
    assert found["step"] == 4
    assert curve["notes"] == ["all images embedded by the checkpoint of step 6"]
    assert curve["auc"] == pytest.approx(expected["auc"], abs=0.005)


def test_features_are_computed_of_outliers_as_of_the_training_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "data"))
    hog = SMALL | {"data.inputs": "hog", "data.classes": ["0", "1", "2"], "train.epochs": 1}
    preset = load_preset("digits-triplet-2d", {k: v for k, v in hog.items() if "head" not in k})
    path = create_run("hog", preset, tmp_path / "runs")
    assert train_run(path).state == "finished"
    found = evaluate_run(path, "class:3")
    assert "collapse/alignment" in found["missing"], "triplets have no two views"
    assert "hog features" in found["missing"]["lidar"] and found["inputs"]["of"] == "hog features"
    assert found["outliers"][0]["images"] == 37
