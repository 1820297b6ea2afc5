"""A whole evaluation against scikit-learn, and spaces about which there is little to say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    roc_auc_score,
    silhouette_samples,
)
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from tests.analysis.conftest import MakeSpace
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.evaluation_errors import AssessmentError
from tui_latent.analysis.evaluation_table import is_whole, table_lines
from tui_latent.cli.main import main
from tui_latent.metrics.projection import to_plane
from tui_latent.runs.evaluations import newest_evaluation
from tui_latent.runs.reader import RunReader
from tui_latent.runs.writer import RunWriter


def test_the_figures_are_scikit_learns(make_space: MakeSpace) -> None:
    path = make_space()
    found = evaluate_run(path)
    tensors = {name: t.numpy() for name, t in load_file(path / "latents/last.safetensors").items()}
    bank, labels = tensors["bank_latents"], tensors["bank_labels"]
    queries, truth = tensors["query_latents"], tensors["query_labels"]
    for k in (1, 5, 20):
        voted = KNeighborsClassifier(k).fit(bank, labels).predict(queries)
        assert found["knn_held_out"]["accuracy"][str(k)]["value"] == pytest.approx(
            (voted == truth).mean()
        )
    assert found["knn_held_out"]["confusion"] == confusion_matrix(truth, voted).tolist()
    f1 = [scores["f1"] for scores in found["knn_held_out"]["classes"]]
    assert f1 == pytest.approx(f1_score(truth, voted, average=None))
    others = NearestNeighbors(n_neighbors=1).fit(bank).kneighbors()[1][:, 0]
    within = found["knn_train"]["accuracy"]["1"]
    assert within["value"] == pytest.approx((labels[others] == labels).mean())
    assert within["low"] < within["value"] < within["high"] and within["of"] == 200
    assert found["map"]["trustworthiness"] == pytest.approx(
        trustworthiness(queries, to_plane(queries), n_neighbors=5)
    )
    search = NearestNeighbors(n_neighbors=5).fit(bank[labels != 2])
    auc = roc_auc_score(truth == 2, search.kneighbors(queries)[0].mean(axis=1))
    assert found["anomaly"]["classes"][2]["auc"] == pytest.approx(auc)
    assert found["collapse"]["alignment"] == 0.25 and found["collapse"]["signs"] == []
    assert 0.5 < found["probe"]["value"] <= 1 and 0 < found["clustering"]["nmi"] <= 1
    rows = found["clustering"]["rows"]
    assert sum(row["images"] for row in rows) == found["clustering"]["images"]
    assert found["anomaly"]["classes"][2]["aupr"] == pytest.approx(
        average_precision_score(truth == 2, search.kneighbors(queries)[0].mean(axis=1))
    )
    assert missing(found) == {
        "knn_weighted/k=200 t=0.1": "there are 200 training images to choose the 200 nearest from"
    }
    assert found["notes"] == []


def test_measures_of_the_space_are_those_of_other_packages(make_space: MakeSpace) -> None:
    path = make_space()
    found = evaluate_run(path)
    tensors = {name: t.numpy() for name, t in load_file(path / "latents/last.safetensors").items()}
    queries, truth = tensors["query_latents"].astype(np.float64), tensors["query_labels"]
    points = to_plane(queries)
    near = NearestNeighbors(n_neighbors=21).fit(points).kneighbors(points)[1][:, 1:]
    assert found["map"]["neighbourhood_hit"] == pytest.approx(
        (truth[near] == truth[:, None]).mean()
    )
    distances = spearmanr(pdist(queries), pdist(points)).statistic
    assert found["map"]["distances"] == pytest.approx(distances, abs=1e-4)
    variances = PCA().fit(queries).explained_variance_ * 89 / 90
    assert found["collapse"]["spectrum"] == pytest.approx(variances, rel=1e-3)
    by_class = silhouette_samples(queries, truth)
    assert found["clustering"]["class_silhouettes"] == pytest.approx(
        {name: by_class[truth == i].mean() for i, name in enumerate(found["class_names"])}, abs=1e-6
    )
    lines = written(found)
    for words in (
        "neighbourhood hit",
        "participation ratio",
        "MAP@R",
        "k=20 t=0.07",
        "AMI",
        "AUPR",
    ):
        assert words in lines


def test_a_plane_is_not_compared_with_itself(make_space: MakeSpace) -> None:
    found = evaluate_run(make_space(dimensions=2))
    assert found["map"]["trustworthiness"] is None is found["map"]["continuity"]
    assert "is the latent space itself" in found["missing"]["map/trustworthiness"]
    assert found["map"]["neighbourhood_hit"] > 0.3
    assert "trustworthiness 1" not in written(found)


def test_a_measure_that_is_missing_has_its_reason_and_no_dash(make_space: MakeSpace) -> None:
    path = make_space()
    file = path / "latents/last.safetensors"
    tensors = load_file(file)
    for name in ("query_labels", "bank_labels"):
        tensors[name] = torch.full_like(tensors[name], -1)
    save_file(tensors, file)
    found = evaluate_run(path)
    assert found["map"]["neighbourhood_hit"] is None
    assert "there are no labels" in found["missing"]["map/neighbourhood_hit"]
    assert "neighbourhood hit" not in written(found)


NEED_IMAGES = ("inputs", "layers", "lidar")


def missing(found: dict[str, Any]) -> dict[str, str]:
    """Return what is missing, except the parts that need images, which these runs do not have."""
    assert all(found["missing"][part] for part in NEED_IMAGES)
    return {key: why for key, why in found["missing"].items() if key not in NEED_IMAGES}


def test_it_is_kept_in_the_run_folder_and_needs_no_images(make_space: MakeSpace) -> None:
    path = make_space()
    found = evaluate_run(path)
    assert found["step"] == 40 and found["class_names"] == ["ant", "bee", "cat", "dog"]
    assert newest_evaluation(path) == json.loads(json.dumps(found, allow_nan=False)) == found


def test_outliers_whose_data_or_network_is_missing_are_named_and_the_rest_is_measured(
    make_space: MakeSpace,
) -> None:
    found = evaluate_run(make_space(), "mnist")
    assert "no checkpoint yet" in found["missing"]["outliers"]
    assert found["outliers"] == [] and found["knn_held_out"]["images"] == 90


def test_a_class_of_the_run_is_an_outlier_without_its_images(make_space: MakeSpace) -> None:
    path = make_space()
    found = evaluate_run(path, "class:cat")
    (curve,) = found["outliers"]
    assert curve["outliers"] == "class cat" and "was trained on this class" in curve["notes"][0]
    assert curve["auc"] == pytest.approx(found["anomaly"]["classes"][2]["auc"])
    assert (curve["inliers"], curve["images"]) == (68, 22)


def test_other_outliers_of_the_same_latents_are_kept(make_space: MakeSpace) -> None:
    path = make_space()
    evaluate_run(path, "class:cat")
    found = evaluate_run(path, "class:dog")
    assert [curve["outliers"] for curve in found["outliers"]] == ["class dog", "class cat"]
    again = evaluate_run(path, "class:cat")
    assert [curve["outliers"] for curve in again["outliers"]] == ["class cat", "class dog"]
    (path / "latents/last.safetensors").touch()
    assert evaluate_run(path)["outliers"] == []


def written(found: dict[str, Any]) -> str:
    """Return an evaluation as the command line prints it, also by way of its file."""
    again = json.loads(json.dumps(found, allow_nan=False))
    assert is_whole(again)
    return "\n".join(table_lines(again))


def test_one_class_has_no_accuracy_but_the_reason(make_space: MakeSpace) -> None:
    one = torch.zeros(40, dtype=torch.int64)
    found = evaluate_run(make_space(one, one[:12], ("only",)))
    for part in ("knn_held_out", "knn_train", "probe", "clustering", "anomaly"):
        assert part not in found, "1.0 whatever the space"
        assert "one class" in found["missing"][part]
    assert found["collapse"]["effective_rank"] > 1
    assert written(found).count("of one class: every vote") == 1, "for all three votes"


def test_fewer_training_images_than_neighbours_leave_the_others_accuracies(
    make_space: MakeSpace,
) -> None:
    found = evaluate_run(make_space(torch.arange(16) % 4, torch.arange(40) % 4))
    accuracy = found["knn_held_out"]["accuracy"]
    assert accuracy["20"] is None and accuracy["5"]["of"] == 40
    why = "there are 16 training images to choose the 20 nearest from"
    assert found["missing"]["knn_held_out/k=20"] == why
    assert "15 other training images" in found["missing"]["knn_train/k=20"]
    assert found["knn_held_out"]["confusion"] is None
    text = written(found)
    assert " ".join(text.split()).count(f"not measured: k=20: {why}") == 1
    assert "k=20    –" in text and "class, held out" not in text


def test_two_images_are_measured_as_far_as_two_can_be(make_space: MakeSpace) -> None:
    two = torch.tensor([0, 1])
    found = evaluate_run(make_space(two, two, ("ant", "bee")))
    assert found["knn_held_out"]["accuracy"]["1"]["of"] == 2
    assert found["knn_held_out"]["accuracy"]["5"] is None
    assert "no neighbourhoods" in found["missing"]["map"]
    assert "not 1" in found["missing"]["anomaly"]
    assert "the only one of its class" in found["missing"]["clustering"]
    assert found["collapse"]["signs"] == [], "two latents have a rank of 2 at most"
    assert (
        "needs 5 training images, not 1"
        in (evaluate_run(make_space(two, two, ("ant", "bee")), "class:ant")["missing"]["outliers"])
    )
    assert written(found)


def test_among_as_many_images_as_are_looked_among_something_is_always_found(
    make_space: MakeSpace,
) -> None:
    found = evaluate_run(make_space(torch.arange(8) % 4))
    recall = found["retrieval"]["recall"]
    assert recall["10"] is None and 0 <= recall["1"] <= recall["5"] <= 1
    why = "there are 8 training images to choose the 10 nearest from"
    assert found["missing"]["retrieval/recall@10"] == why
    assert "recall@10" not in written(found).replace("not measured: recall@10", "")


def test_latents_that_do_not_vary_have_no_spectrum_and_no_layout(make_space: MakeSpace) -> None:
    found = evaluate_run(make_space(change=lambda latents: 0 * latents + 0.5))
    assert found["collapse"]["participation_ratio"] is None is found["map"]["distances"]
    assert "do not vary" in found["missing"]["collapse/participation_ratio"]
    assert "fewer than three axes" in found["missing"]["collapse/alpha_req"]
    assert "all distances" in found["missing"]["map/distances"]
    for name in ("participation ratio", "distances –", "alpha –"):
        assert name not in written(found)


def test_vectors_that_are_each_the_only_one_of_their_class_are_still_evaluated(
    make_space: MakeSpace,
) -> None:
    path = make_space(query_labels=torch.tensor([0, 1]))
    file = path / "latents/last.safetensors"
    alone = {name: t for name, t in load_file(file).items() if name.startswith("query")}
    save_file(alone, file)
    found = evaluate_run(path)
    assert "needs 6 images of other classes, not 1" in found["missing"]["anomaly"]
    assert written(found)


def test_one_training_image_has_no_other_to_ask(make_space: MakeSpace) -> None:
    found = evaluate_run(make_space(torch.tensor([0]), torch.tensor([0, 0]), ("ant",)))
    assert "at least two training images" in found["missing"]["knn_train"]
    assert "there is 1 training image" in found["missing"]["knn_held_out"]
    assert written(found)


def test_one_held_out_image_has_no_figure_of_its_own(make_space: MakeSpace) -> None:
    found = evaluate_run(make_space(query_labels=torch.tensor([2])))
    for part in ("knn_held_out", "probe", "clustering", "collapse", "map", "anomaly"):
        assert part not in found and "image" in found["missing"][part], part
    assert found["knn_train"]["accuracy"]["20"]["of"] == 200
    assert written(found)


def test_as_many_classes_as_held_out_images_are_not_clusters(make_space: MakeSpace) -> None:
    found = evaluate_run(make_space(query_labels=torch.arange(4)))
    assert "each of the 4 images is the only one of its class" in found["missing"]["clustering"]
    assert found["knn_held_out"]["accuracy"]["20"]["of"] == 4


def test_a_class_without_held_out_images_has_no_curve_but_the_reason(
    make_space: MakeSpace,
) -> None:
    found = evaluate_run(make_space(query_labels=torch.arange(60) % 3))
    assert found["anomaly"]["classes"][3] is None
    assert missing(found)["anomaly/dog"] == "the class has no held-out images"
    assert "not measured: dog: the class has no held-out images" in written(found)


def test_an_alignment_that_training_could_not_measure_is_missing_with_its_reason(
    make_space: MakeSpace,
) -> None:
    path = make_space()
    writer = RunWriter.reopen(path)
    shown = RunReader(path).refresh().map
    assert shown is not None
    writer.latent_map(shown, None, {"latent/alignment": "too few"})
    writer.close()
    found = evaluate_run(path)
    assert found["collapse"]["alignment"] is None
    assert found["missing"]["collapse/alignment"] == "too few"
    assert "not measured: alignment: too few" in written(found)


def test_equal_latents_are_a_collapse_and_no_error(make_space: MakeSpace) -> None:
    found = evaluate_run(make_space(change=lambda latents: 0 * latents + 0.5))
    assert "all training latents are equal" in found["notes"][0]
    assert len(found["collapse"]["signs"]) == 2
    for part in ("knn_held_out", "knn_train", "clustering"):
        assert "latents are equal" in found["missing"][part]
    assert found["map"]["trustworthiness"] < 0.6 > found["map"]["continuity"]
    assert [curve["auc"] for curve in found["anomaly"]["classes"]] == [0.5] * 4
    assert written(found)


def test_latents_that_are_not_finite_leave_every_part_with_the_reason(
    make_space: MakeSpace,
) -> None:
    def broken(latents: torch.Tensor) -> torch.Tensor:
        return latents.index_fill(0, torch.tensor([3, 4]), torch.nan)

    found = evaluate_run(make_space(change=broken))
    assert "knn_held_out" not in found and len(found["missing"]) == 12
    assert set(found["missing"].values()) == {
        "the latents of 2 of 200 training images are not finite: training has diverged"
    }


def test_what_tell_raises_ends_it_and_nothing_is_written(make_space: MakeSpace) -> None:
    class Enough(Exception):
        pass

    told: list[str] = []

    def on_progress(words: str) -> None:
        told.append(words)
        if words == "k-means":
            raise Enough

    path = make_space()
    with pytest.raises(Enough):
        evaluate_run(path, on_progress=on_progress)
    assert told[0] == "reading the latents" and "linear probe" in told
    assert newest_evaluation(path) is None


def test_a_run_without_latents_and_a_folder_that_is_not_a_run_are_refused(tmp_path: Any) -> None:
    with pytest.raises(AssessmentError, match=r"preset\.toml"):
        evaluate_run(tmp_path)
    preset = {"data": {"source": "digits"}, "method": {"name": "contrastive", "latent_dim": 2}}
    writer = RunWriter.create(tmp_path, "made", preset, {})
    writer.close()
    with pytest.raises(AssessmentError, match="no latents yet: the first"):
        evaluate_run(writer.path)


def test_in_a_folder_that_cannot_be_written_the_numbers_are_shown_and_not_kept(
    make_space: MakeSpace,
) -> None:
    path = make_space()
    (path / "evaluations").write_text("in the way")
    found = evaluate_run(path)
    assert found["knn_held_out"]["accuracy"]["5"]["value"] > 0
    assert found["unkept"].startswith(f"not kept: {path}/evaluations cannot be written: ")
    printed = CliRunner().invoke(main, ["evaluate", str(path)])
    assert printed.exit_code == 0 and printed.stdout.splitlines()[-1] == found["unkept"]
