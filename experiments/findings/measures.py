"""What is measured of the latents of a trained run, by the functions that evaluations use too."""

from __future__ import annotations

import torch
from torch import Tensor

from experiments.findings.finished import Finished, Space
from experiments.findings.study import INPUTS, UNTRAINED, Numbers
from tui_latent.metrics.clustering import evaluate_clustering
from tui_latent.metrics.knn import KS, evaluate_knn
from tui_latent.metrics.linear_probe import chosen_penalty, linear_probe, published_probe
from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.outlier_detection import anomaly_scores, roc
from tui_latent.metrics.retrieval import retrieval


def knn(space: Space) -> Numbers:
    """Return the accuracy of the votes of 1, 5 and 20 training images."""
    classes = int(space.bank_labels.max()) + 1
    found = evaluate_knn(
        space.bank, space.bank_labels, space.queries, space.query_labels, classes, KS
    )
    return {f"knn_{k}": accuracy for k, accuracy in found.accuracies.items()}


def knn_of_run(run: Finished) -> tuple[Numbers, Numbers]:
    """Return kNN of the validation and of the test images."""
    return knn(run.validation()), knn(run.test())


def knn_references(run: Finished) -> dict[str, Numbers]:
    """Return kNN of the test images by an untrained network, and by their pixels."""
    return {label: knn(space) for label, space in untrained_and_pixels(run).items()}


def untrained_and_pixels(run: Finished) -> dict[str, Space]:
    """Return the test images as an untrained network sees them, and their pixels.

    With the training images of the run, so that all rows have the same bank.
    """
    train, val = run.dataset.train, run.source.val
    rows = torch.arange(len(train))
    untrained = run.untrained()
    space = Space(
        run.embedded(untrained, train, rows)["representation"],
        train.labels,
        run.embedded(untrained, val, run.test_rows)["representation"],
        val.labels[run.test_rows],
    )
    return {UNTRAINED: space, INPUTS: run.pixels(train, rows)}


def nearest_mean(space: Space) -> float:
    """Return the share of queries that are nearer to their own class's mean than to any other."""
    present = torch.unique(space.bank_labels)
    means = torch.stack([space.bank[space.bank_labels == label].mean(0) for label in present])
    called = present[torch.cdist(space.queries, means).argmin(1)]
    return float((called == space.query_labels).double().mean())


def probes(space: Space) -> tuple[float, float]:
    """Return the accuracy of a converged linear probe, and of the short one of the analysis."""
    bank, labels = space.bank, space.bank_labels
    queries, truth = space.queries, space.query_labels
    penalty = chosen_penalty(bank, labels)
    classes = int(labels.max()) + 1
    return (
        linear_probe(bank, labels, queries, truth, penalty),
        published_probe(bank, labels, queries, truth, classes),
    )


def grouping(space: Space) -> Numbers:
    """Return how well k-means finds the classes of the test images, and retrieval does."""
    labels = space.query_labels.numpy()
    clusters = evaluate_clustering(space.queries.numpy(), labels, int(labels.max()) + 1)
    ranked = retrieval(space.bank, space.bank_labels, space.queries, space.query_labels)
    return {
        "clusters_accuracy": clusters.accuracy,
        "clusters_ami": clusters.ami,
        "silhouette_clusters": clusters.silhouette,
        "silhouette_classes": clusters.class_silhouette,
        "recall_1": ranked.recall[1],
        "map_at_r": ranked.map_at_r,
    }


def anomaly(space: Space, outliers: Tensor) -> Numbers:
    """Return the AUC of the mean distance to the 2 (as published) and 5 nearest training images.

    `outliers` are the latents of images that are no queries: float32 (O, D).
    """
    search = NeighbourSearch(space.bank)
    found = {}
    for k in (2, 5):
        inside, outside = (
            anomaly_scores(search, latents, k).numpy() for latents in (space.queries, outliers)
        )
        found[f"auc_{k}"] = roc(inside, outside).auc
    return found
