"""Runs from elsewhere: images from thumbnails, labels from latents, no network; some labels too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.metrics import roc_auc_score, silhouette_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from tests.foreign_runs import CLASSES, foreign_run, forget_labels
from tui_latent.analysis import InspectionError, RunData, RunInspector
from tui_latent.analysis.abilities import no_labels
from tui_latent.analysis.augmented import no_augmentation
from tui_latent.analysis.class_extremes import class_extremes
from tui_latent.analysis.decoding import RunDecoder, no_decoder
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.evaluation_table import is_whole, table_lines
from tui_latent.analysis.interpolation import walk
from tui_latent.analysis.neighbourhoods import Space, images_of, space_at
from tui_latent.analysis.outlier_ranking import AnomalyRanking
from tui_latent.analysis.view_spread import ViewSpreads
from tui_latent.runs.latents_file import LATENTS_FILE, UNLABELLED, write_latents
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.maps import write_map
from tui_latent.runs.origin import Origin
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.thumbnails import thumbnails_file


def newest_space(run: Path) -> Space:
    _, newest = MapFolder(run).refresh(None)
    assert newest is not None
    return space_at(RunData(run), newest.map, newest=True)


def stored(run: Path) -> dict[str, np.ndarray]:
    return load_file(run / "latents" / "last.safetensors")


def test_neighbours_are_thumbnails_with_the_labels_of_the_latents(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    inspector = RunInspector(run)
    found = inspector.neighbours(4, 6)
    parts = stored(run)
    finder = NearestNeighbors(n_neighbors=6).fit(parts["bank_latents"])
    distances, rows = finder.kneighbors(parts["query_latents"][4:5])
    assert found.indices.tolist() == rows[0].tolist()
    assert np.allclose(found.distances, distances[0], atol=1e-5)
    assert found.labels == tuple(CLASSES[row % 3] for row in rows[0])
    pictures = np.load(thumbnails_file(run, "train"))
    assert np.array_equal(found.images[..., 0], pictures[rows[0], 0])
    assert inspector.label(4) == CLASSES[1] and inspector.held_out_size() == 60
    assert np.array_equal(inspector.image(4)[..., 0], np.load(thumbnails_file(run, "val"))[4, 0])


def test_without_a_bank_each_image_is_left_out_of_its_own_neighbours(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, bank=False)
    latents = stored(run)["query_latents"]
    distances, rows = NearestNeighbors(n_neighbors=5).fit(latents).kneighbors()
    inspector = RunInspector(run)
    for index in (0, 17, 59):
        found = inspector.neighbours(index, 5)
        assert found.indices.tolist() == rows[index].tolist()
        assert found.among == "other held-out images"
    ranked = AnomalyRanking(RunData(run)).most_anomalous(3)
    assert ranked.indices.tolist() == np.argsort(-distances.mean(axis=1))[:3].tolist()
    assert len(inspector.neighbours(0, 1000).indices) == 59


def test_what_a_run_cannot_be_asked_is_a_sentence(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, labels=False, thumbnails=False, bank=False)
    inspector = RunInspector(run)
    source = inspector.source
    assert source.preset is None
    assert not inspector.can_decode and not inspector.has_labels()
    for why in (no_decoder(None), no_augmentation(None)):
        assert "not trained by tui-latent" in why
    assert "tui-latent label RUN --csv FILE" in no_labels(source)
    networks: list[Callable[[], object]] = [
        lambda: RunDecoder(source).decode(np.zeros((1, 8))),
        lambda: ViewSpreads(source).land(0, 3, 0),
        lambda: inspector.augmentations([0], 2, 0),
        source.model,
        source.dataset,
    ]
    for ask in networks:
        with pytest.raises(InspectionError, match="not trained by tui-latent"):
            ask()
    pixels: list[Callable[[], object]] = [
        lambda: inspector.neighbours(0, 5),
        lambda: inspector.image(0),
        lambda: images_of(source, np.array([1])),
        lambda: walk(source, 0, 1, 5),
    ]
    for ask in pixels:
        with pytest.raises(InspectionError, match=r"has no images: .*thumbnails=IMAGES"):
            ask()
    opened = foreign_run(tmp_path, "vectors", origin="opened", thumbnails=False)
    with pytest.raises(InspectionError, match="--images FOLDER"):
        RunInspector(opened).image(0)


def test_images_beyond_the_thumbnails_are_crossed_out(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, bank=False)
    file = thumbnails_file(run, "val")
    np.save(file, np.load(file)[:10])
    shown = images_of(RunData(run), np.array([9, 10, 59]))
    assert np.array_equal(shown[0, ..., 0], np.load(file)[9, 0])
    for missing in shown[1:, ..., 0]:
        assert len(np.unique(missing)) == 2, "paper and a cross"
        assert (np.diag(missing) == missing.min()).all()
        assert (np.diag(missing[::-1]) == missing.min()).all()
    with pytest.raises(InspectionError, match="no held-out image 60"):
        RunInspector(run).image(60)


@pytest.mark.parametrize(
    ("origin", "remedy"), [("watched", r"bank_thumbnails=IMAGES"), ("opened", r"kept$")]
)
def test_without_training_images_their_places_are_crossed_out(
    tmp_path: Path, origin: Origin, remedy: str
) -> None:
    run = foreign_run(tmp_path, origin=origin)
    thumbnails_file(run, "train").unlink()
    source = RunData(run)
    inspector = RunInspector(run, source)
    assert inspector.image(0).max() == 255, "held-out images are shown"
    near = inspector.neighbours(0, 5)
    assert len(near.labels) == 5 and near.labels[0] == "cat"
    for crossed in (near.images, walk(source, 0, 1, 4).images, class_extremes(source, 0, 2)):
        images = crossed if isinstance(crossed, np.ndarray) else crossed.nearest.images
        assert images.shape[1:] == (12, 12, 1)
        assert all(np.array_equal(image, images[0]) for image in images)
        assert len(np.unique(images)) == 2, "paper and a cross"
    why = source.pictures("train").why_none
    of = "images of the other vectors" if origin == "opened" else "training images"
    assert why.startswith(f"no {of} were kept") and re.search(remedy, why)
    assert not source.pictures("val").why_none


def test_a_walk_shows_the_nearest_thumbnails(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    found = walk(RunData(run), 0, 1, 4)
    assert not found.decoded and found.images.shape == (4, 12, 12, 1)


def test_a_class_without_labels_has_no_extremes(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    forget_labels(run, every=2)
    assert class_extremes(RunData(run), 1, 3).size == 10
    bare = foreign_run(tmp_path, "bare", labels=False)
    with pytest.raises(InspectionError, match="no training images"):
        class_extremes(RunData(bare), 0, 3)


@pytest.mark.parametrize("bank", [True, False], ids=["with others", "alone"])
def test_of_opened_vectors_no_sentence_says_image(tmp_path: Path, bank: bool) -> None:
    run = foreign_run(tmp_path, bank=bank, labels=False, origin="opened")
    with pytest.raises(InspectionError, match="has no vector 60: they are numbered 0 to 59"):
        RunInspector(run).image(60)
    with pytest.raises(InspectionError, match="class 0 has no other vectors"):
        class_extremes(RunData(run), 0, 3)
    assert newest_space(run).voters == RunInspector(run).neighbours(0, 3).among == "other vectors"


@pytest.mark.parametrize("bank", [True, False])
def test_only_images_with_a_label_vote(tmp_path: Path, bank: bool) -> None:
    run = foreign_run(tmp_path, bank=bank, images=90)
    forget_labels(run)
    space, parts = newest_space(run), stored(run)
    voters = parts["bank_latents" if bank else "query_latents"]
    labels = parts["bank_labels" if bank else "query_labels"]
    known = labels != UNLABELLED
    for index in range(0, 90, 7):
        others = known.copy()
        if not bank:
            others[index] = False
        knn = KNeighborsClassifier(20).fit(voters[others], labels[others])
        expected = knn.predict(parts["query_latents"][index : index + 1])[0]
        facts = space.facts(index, 3)
        assert facts.vote == expected
        assert facts.voters == 20
        assert facts.label == parts["query_labels"][index]


def test_without_labels_nobody_votes_and_clusters_are_counted_from_the_left(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, labels=False)
    space = newest_space(run)
    facts = space.facts(3, 3)
    assert (facts.label, facts.vote, facts.votes, facts.voters) == (UNLABELLED, UNLABELLED, 0, 0)
    assert not space.has_labels and np.isfinite(space.anomaly_score).all()
    truth = np.arange(60) % 3
    assert all(len(np.unique(space.clusters[truth == group])) == 1 for group in range(3))
    middles = [np.median(space.map.points[space.clusters == c, 0]) for c in range(3)]
    assert middles == sorted(middles)


def test_a_map_of_a_sample_is_of_those_latents(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, bank=False)
    rows = np.array([3, 5, 11, 20, 44, 58])
    parts = stored(run)
    points = parts["query_latents"][rows, :2]
    labels = parts["query_labels"][rows]
    write_map(run, LatentMap(300, points, rows, labels, CLASSES, "pca"), None)
    space = newest_space(run)
    assert torch.equal(space.points, torch.from_numpy(parts["query_latents"][rows]))
    assert space.voters == "other held-out images"
    assert space.held_out(np.array([0, 4])).tolist() == [3, 44]
    expected = NearestNeighbors(n_neighbors=1).fit(parts["query_latents"][rows]).kneighbors()[1]
    assert space.facts(2, 1).nearest.indices[0] == expected[2, 0]


def test_an_evaluation_without_labels_says_so_once(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, labels=False, bank=False)
    found = evaluate_run(run)
    assert is_whole(found)
    for part in ("knn_train", "knn_held_out", "probe", "anomaly"):
        assert part not in found and "no labels" in found["missing"][part]
    clusters = newest_space(run).clusters
    expected = silhouette_score(stored(run)["query_latents"], clusters)
    assert found["clustering"]["silhouette"] == pytest.approx(expected, abs=1e-6)
    assert found["clustering"]["clusters"] == 3 and found["clustering"]["accuracy"] is None
    assert found["collapse"]["effective_rank"] > 1 and found["map"]["trustworthiness"] > 0.5
    text = "\n".join(table_lines(found))
    assert text.count("no labels") == 1
    assert "60 images" in text and "training" not in text.replace("kNN training", "")


def test_without_a_bank_the_others_vote_for_each_image(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, bank=False, images=90, origin="opened")
    found, parts = evaluate_run(run), stored(run)
    latents, labels = parts["query_latents"], parts["query_labels"]
    _, rows = NearestNeighbors(n_neighbors=20).fit(latents).kneighbors()
    for k in (1, 5, 20):
        votes = np.array([np.bincount(labels[near[:k]], minlength=3).argmax() for near in rows])
        assert found["knn_held_out"]["accuracy"][str(k)]["right"] == (votes == labels).sum()
    assert "no training latents" in found["missing"]["knn_train"]
    for index, roc in enumerate(found["anomaly"]["classes"]):
        scores = []
        for row, latent in enumerate(latents):
            others = np.flatnonzero((labels != index) & (np.arange(90) != row))
            scores.append(np.sort(np.linalg.norm(latents[others] - latent, axis=1))[:5].mean())
        assert roc["auc"] == pytest.approx(roc_auc_score(labels == index, scores), abs=1e-6)
    named = evaluate_run(run, "class:owl")["outliers"][0]
    assert named["auc"] == pytest.approx(found["anomaly"]["classes"][2]["auc"])


def test_images_without_a_label_are_left_out_where_classes_count(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, images=90)
    forget_labels(run)
    found, parts = evaluate_run(run), stored(run)
    bank, queries = parts["bank_labels"] >= 0, parts["query_labels"] >= 0
    knn = KNeighborsClassifier(5).fit(parts["bank_latents"][bank], parts["bank_labels"][bank])
    score = knn.score(parts["query_latents"][queries], parts["query_labels"][queries])
    accuracy = found["knn_held_out"]["accuracy"]["5"]
    assert accuracy["of"] == queries.sum() and accuracy["value"] == pytest.approx(score)
    assert found["probe"]["of"] == queries.sum()
    assert found["clustering"]["labelled"] == queries.sum() and found["clustering"]["images"] == 90
    assert sum("have no label" in note for note in found["notes"]) == 2
    outliers = evaluate_run(run, "class:cat")["outliers"][0]
    assert outliers["inliers"] + outliers["images"] == queries.sum()


def test_a_large_space_is_evaluated_by_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = foreign_run(tmp_path, bank=False, images=90)
    monkeypatch.setattr("tui_latent.analysis.evaluate.MOST_COMPARED", 60)
    found = evaluate_run(run)
    assert found["knn_held_out"]["images"] == 60
    assert found["notes"] == ["all figures are of a sample of 60 of the 90 images"]


def test_latents_that_are_not_finite_say_so(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, bank=False, labels=False)
    latents = np.full((60, 8), np.nan, np.float32)
    write_latents(run / LATENTS_FILE, 300, latents, np.full(60, UNLABELLED))
    found = evaluate_run(run)
    assert "60 of 60 held-out images are not finite" in found["missing"]["collapse"]
    with pytest.raises(InspectionError, match="not finite"):
        RunInspector(run).neighbours(0, 3)


def test_a_loop_that_gave_no_latents_yet_is_told_how(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    (run / "latents" / "last.safetensors").unlink()
    with pytest.raises(InspectionError, match=r"run\.latents"):
        RunInspector(run).held_out_size()
    with pytest.raises(InspectionError, match=r"run\.latents"):
        RunData(run).has_labels()
