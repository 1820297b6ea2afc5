"""The parts of an evaluation that need images and network, of runs that were really trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from tests.trained_runs import stored, train_named
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.evaluation_table import table_lines
from tui_latent.analysis.run_data import RunData
from tui_latent.metrics.projection import to_plane


@pytest.fixture(scope="module")
def vicreg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_named("vicreg", tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def evaluation(vicreg: Path) -> dict[str, Any]:
    return evaluate_run(vicreg)


def test_map_and_latents_are_compared_with_pixels_by_scikit_learn(
    vicreg: Path, evaluation: dict[str, Any]
) -> None:
    found = evaluation["inputs"]
    dataset = RunData(vicreg).inputs()
    pixels = dataset.inputs(dataset.val, torch.arange(len(dataset.val))).flatten(1).double()
    latents = stored(vicreg)["query_latents"].numpy()
    for name, shown in (("map", to_plane(latents)), ("latents", latents)):
        expected = trustworthiness(pixels.numpy(), shown, n_neighbors=5)
        assert found["spaces"][name]["trustworthiness"] == pytest.approx(expected, abs=2e-3)
        continuity = trustworthiness(shown, pixels.numpy(), n_neighbors=5)
        assert found["spaces"][name]["continuity"] == pytest.approx(continuity, abs=2e-3)
    assert found["trustworthiness"] == found["spaces"]["map"]["trustworthiness"]
    assert found["of"] == "pixels" and found["images"] == len(dataset.val)


def test_each_layer_stands_beside_an_untrained_network_and_pixels(
    vicreg: Path, evaluation: dict[str, Any]
) -> None:
    found = evaluation["layers"]
    rows = {row["place"]: row for row in found["rows"]}
    assert list(rows) == [
        "backbone",
        "representation",
        "projection",
        "backbone, untrained",
        "representation, untrained",
        "pixels",
    ]
    dataset = RunData(vicreg).dataset()
    bank, queries = (p.images.flatten(1).double() for p in (dataset.train, dataset.val))
    model = KNeighborsClassifier(20).fit(bank, dataset.train.labels)
    expected = model.score(queries, dataset.val.labels)
    assert rows["pixels"]["knn"]["value"] == pytest.approx(expected, abs=0.01)
    own = evaluation["knn_held_out"]["accuracy"]["20"]["value"]
    assert rows["representation"]["knn"]["value"] == pytest.approx(own, abs=0.01)
    assert all(0 < row["probe"]["value"] <= 1 for row in rows.values())
    text = "\n".join(table_lines(evaluation))
    assert "representation, untrained" in text and "in every row" in text


def test_each_layer_has_the_short_probe_too_which_depends_on_scale(
    evaluation: dict[str, Any],
) -> None:
    rows = {row["place"]: row for row in evaluation["layers"]["rows"]}
    of_all = evaluation["probe"]["published"]
    assert rows["representation"]["published"] == pytest.approx(of_all, abs=0.05)
    assert all(0 <= row["published"] <= 1 for row in rows.values())
    text = "\n".join(table_lines(evaluation))
    shown = re.search(r"pixels .* probe [.\d]+/([.\d]+)\n", text)
    assert shown and float(shown[1]) == pytest.approx(rows["pixels"]["published"], abs=0.01)
    assert "10 epochs on raw values as published" in text
    older = [
        {name: value for name, value in row.items() if name != "published"} for row in rows.values()
    ]
    before = evaluation["layers"] | {"rows": older}
    assert "converged/" not in "\n".join(table_lines(evaluation | {"layers": before}))


def test_the_untrained_network_is_another_one_and_always_the_same(
    vicreg: Path, evaluation: dict[str, Any]
) -> None:
    assert evaluate_run(vicreg)["layers"] == evaluation["layers"]
    rows = {row["place"]: row["knn"]["value"] for row in evaluation["layers"]["rows"]}
    assert rows["backbone"] != rows["backbone, untrained"]


def test_lidar_is_told_of_each_layer_and_says_how_many_views(evaluation: dict[str, Any]) -> None:
    found = evaluation["lidar"]
    assert set(found["places"]) == {"backbone", "representation", "projection"}
    assert 1 <= found["lidar"] <= 16 and found["views"] == 10


def test_a_method_without_views_or_network_says_why(tmp_path: Path) -> None:
    found = evaluate_run(train_named("autoencoder", tmp_path))
    assert "without augmentation" in found["missing"]["lidar"]
    assert "backbone" in found["layers"]["rows"][0]["place"]
