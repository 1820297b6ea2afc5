"""The second view of an image from an earlier run: which images may be drawn, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.start import create_run, train_run
from tui_latent.training.neighbour_views import earlier_neighbours

SMALL = {
    "method.width": 2,
    "method.hidden_dim": 8,
    "method.latent_dim": 3,
    "method.projector": [8],
    "train.epochs": 1,
    "data.per_class": 6,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    path = create_run("digits-vicreg", load_preset("digits-vicreg", SMALL), runs, "earlier")
    assert train_run(path).state == "finished"
    return runs


def neighbours_preset(**changes: object) -> Preset:
    asked = {
        "method.views": "neighbours",
        "method.neighbours_run": "earlier",
        **{f"method.{name}": value for name, value in changes.items()},
    }
    return load_preset("digits-vicreg", SMALL | asked)


def nearest_by_hand(runs: Path, k: int) -> list[set[int]]:
    bank = load_file(runs / "earlier" / "latents" / "last.safetensors")["bank_latents"].double()
    found = []
    for row, latent in enumerate(bank):
        distances = (bank - latent).square().sum(1)
        distances[row] = torch.inf
        found.append(set(distances.argsort()[:k].tolist()))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 3, 7])
def test_an_image_is_drawn_as_often_as_each_of_its_neighbours(runs: Path, k: int) -> None:
    preset = neighbours_preset(neighbours=k, draw_itself=True)
    dataset: Dataset = load_dataset(preset.data, preset.train.seed)
    table = earlier_neighbours(preset, runs, dataset)
    assert table is not None and table.shape == (len(dataset.train), k + 1)
    others = nearest_by_hand(runs, k)
    assert [set(row.tolist()) for row in table] == [near | {row} for row, near in enumerate(others)]
    pairing = make_pairing("neighbours", dataset.train, dataset, preset.augment, table)
    rows = torch.zeros(8000, dtype=torch.int64)
    partners = pairing.drawn(rows, torch.Generator().manual_seed(0)).rows[8000:]
    shares = torch.bincount(partners, minlength=len(table))[table[0]] / 8000
    assert shares.tolist() == pytest.approx([1 / (k + 1)] * (k + 1), abs=0.03)


def test_without_it_no_image_is_its_own_partner(runs: Path) -> None:
    preset = neighbours_preset(neighbours=4)
    dataset = load_dataset(preset.data, preset.train.seed)
    table = earlier_neighbours(preset, runs, dataset)
    assert table is not None
    assert [set(row.tolist()) for row in table] == nearest_by_hand(runs, 4)


def test_the_analysis_is_reproduced_without_augmentation() -> None:
    preset = load_preset("cifar10-vicreg-neighbours")
    assert not preset.augment.changes_images()
    earlier = preset.method.earlier_run()
    assert earlier is not None and earlier.itself and earlier.neighbours == 3


@pytest.mark.parametrize("itself", [False, True])
def test_what_is_drawn_is_said(itself: bool) -> None:
    words = neighbours_preset(neighbours=3, draw_itself=itself).method.summary()
    assert ("itself or one of 3 neighbours" in " ".join(words)) == itself
