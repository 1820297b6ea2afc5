"""Where views land, against distances in plain loops."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trained_runs import store, stored
from tui_latent.analysis import RunInspector
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.view_spread import ViewSpreads

Trained = Callable[[str], Path]


@pytest.mark.parametrize("name", ["contrastive", "vicreg"])
def test_an_image_lands_where_the_map_shows_it(trained: Trained, name: str) -> None:
    landing = ViewSpreads(RunData(trained(name))).land(11, views=6, seed=3)
    size = np.ptp(landing.map.points, axis=0).max()
    np.testing.assert_allclose(landing.original, landing.map.points[11], atol=0.005 * size)
    assert landing.points.shape == (6, 2) and landing.weights_step == landing.map.step


def test_the_distances_are_those_of_the_views_that_the_sheet_shows(trained: Trained) -> None:
    source = RunData(trained("contrastive"))
    landing = ViewSpreads(source).land(11, views=5, seed=3)
    sheet = RunInspector(source.path).augmentations([11], views=5, seed=3)[0]
    dataset, method = source.dataset(), source.model().method
    images = torch.tensor(sheet.transpose(0, 3, 1, 2) / 255, dtype=torch.float32)
    with torch.inference_mode():
        latents = method.embed((images - dataset.mean) / dataset.std).double().numpy()
    expected = [np.linalg.norm(view - latents[0]) for view in latents[1:]]
    # The sheet's pixels are rounded to bytes.
    np.testing.assert_allclose(landing.distances, expected, rtol=0.05, atol=0.02)
    bank = stored(source.path)["bank_latents"].double().numpy()
    labels = stored(source.path)["bank_labels"].numpy()
    nearest = [str(labels[np.linalg.norm(bank - view, axis=1).argmin()]) for view in latents[1:]]
    assert sum(a == b for a, b in zip(landing.labels, nearest, strict=True)) >= 4
    assert landing.radius == pytest.approx(np.quantile(landing.distances, 0.9))


def test_the_usual_distance_is_the_median_of_the_twentieth_neighbours(trained: Trained) -> None:
    landing = ViewSpreads(RunData(trained("vicreg"))).land(0, views=1, seed=0)
    tensors = stored(trained("vicreg"))
    bank = tensors["bank_latents"].double().numpy()
    twentieth = [
        np.sort(np.linalg.norm(bank - query, axis=1))[19]
        for query in tensors["query_latents"].double().numpy()
    ]
    assert landing.usual == pytest.approx(float(np.median(twentieth)), rel=0.01)
    assert landing.neighbour == 20


def test_where_nothing_can_land_it_says_why(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match="hog features are computed from images"):
        ViewSpreads(RunData(trained("features"))).land(0, views=2, seed=0)
    run = shutil.copytree(trained("contrastive"), tmp_path / "mapless")
    for file in (run / "latents").glob("step-*.npz"):
        file.unlink()
    with pytest.raises(InspectionError, match="no map that can be read"):
        ViewSpreads(RunData(run)).land(0, views=2, seed=0)


def test_weights_of_an_earlier_stage_than_the_latents_are_reported(
    trained: Trained, tmp_path: Path
) -> None:
    run = shutil.copytree(trained("contrastive"), tmp_path / "staged")
    held_out = len(stored(run)["query_latents"])
    store(run, query_latents=torch.zeros(held_out, 16), bank_latents=torch.zeros(400, 16))
    with pytest.raises(InspectionError, match="of different stages"):
        ViewSpreads(RunData(run)).land(0, views=2, seed=0)


def test_two_images_are_compared_with_the_last_neighbour_there_is(trained: Trained) -> None:
    landing = ViewSpreads(RunData(trained("two-images"))).land(0, views=3, seed=0)
    assert landing.neighbour == 2 and (landing.distances == 0).all() and landing.radius == 0


def test_latents_that_are_all_equal_land_on_their_one_point(
    trained: Trained, tmp_path: Path
) -> None:
    run = shutil.copytree(trained("contrastive"), tmp_path / "equal")
    held_out = len(stored(run)["query_latents"])
    store(run, query_latents=torch.ones(held_out, 2), bank_latents=torch.ones(400, 2))
    with pytest.raises(InspectionError, match="different evaluations"):
        ViewSpreads(RunData(run)).land(0, views=2, seed=0)
