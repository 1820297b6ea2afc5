"""The findings of the VICReg analysis (AsafShul)."""

from __future__ import annotations

from functools import cache
from typing import Final

import torch
from torch import Tensor

from experiments.findings.finished import Finished, Space, some_rows
from experiments.findings.measures import anomaly, grouping, knn, probes
from experiments.findings.study import (
    INPUTS,
    UNTRAINED,
    Column,
    Comparison,
    Numbers,
    Study,
    Variant,
)
from tui_latent.analysis.outlier_embedding import as_shape
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.image_set import ImageSet, stored
from tui_latent.datasets.sources import load_dataset
from tui_latent.methods.method import Method
from tui_latent.metrics.collapse import deviation_range, effective_rank

OUTLIERS: Final = 2000
"""test images of MNIST"""
_PLACES: Final = ("backbone", "representation", "projection")
_ANALYSIS: Final = (
    "train.optimizer=adam",
    "train.weight_decay=1e-6",
    "train.schedule=constant",
    "train.warmup_epochs=0",
    "train.eval_every=99",
    "train.checkpoint_every=99",
)
"""as in the analysis, whose presets here use the optimiser of solo-learn"""


@cache
def mnist_as(shape: tuple[int, ...]) -> ImageSet:
    """Return MNIST's test images in the shape of others."""
    images = load_dataset(DataSettings(source="mnist"), 0).val
    found, _ = as_shape(stored(images, some_rows(images, OUTLIERS)), shape)
    nothing = torch.zeros(len(found), dtype=torch.int64)
    return ImageSet(found, nothing, ("MNIST",), None, nothing)


def _of_places(run: Finished, method: Method) -> Numbers:
    """Return both probes at each place of a network, and what is asked of the representation."""
    places = run.places(method)
    found: Numbers = {}
    for place in _PLACES:
        if place in places:
            found[f"probe_{place}"], found[f"published_{place}"] = probes(places[place])
    outliers = mnist_as(run.dataset.train.shape)
    rows = torch.arange(len(outliers))
    strange = run.embedded(method, outliers, rows)["representation"]
    found |= _of_space(places["representation"], strange)
    if "projection" in places:
        projected = places["projection"].queries
        found["projection_std"] = float(deviation_range(projected)[0])
        found["projection_rank"] = float(effective_rank(projected))
    return found


def _of_space(space: Space, outliers: Tensor) -> Numbers:
    rank = {"rank": float(effective_rank(space.queries))}
    return knn(space) | rank | grouping(space) | anomaly(space, outliers)


def _measured(run: Finished) -> tuple[Numbers, Numbers]:
    return {}, _of_places(run, run.method)


def _references(run: Finished) -> dict[str, Numbers]:
    """Return the same of an untrained network; with the first seed of the pixels too."""
    found = {UNTRAINED: _of_places(run, run.untrained())}
    if run.preset.train.seed == 0:
        found[INPUTS] = _of_pixels(run)
    return found


def _of_pixels(run: Finished) -> Numbers:
    train = run.source.train
    space = run.pixels(train, some_rows(train, run.counts.bank))
    outliers = mnist_as(run.dataset.train.shape)
    strange = run.dataset.inputs(outliers, torch.arange(len(outliers))).flatten(1)
    converged, published = probes(space)
    found = _of_space(space, strange)
    return found | {"probe_representation": converged, "published_representation": published}


_PROBES: Final = tuple(
    Column(f"{probe}_{place}", f"{words} of {place}")
    for place in _PLACES
    for probe, words in (("probe", "probe"), ("published", "published probe"))
)
_OTHERS: Final = (
    Column("knn_20", "kNN@20"),
    Column("recall_1", "recall@1"),
    Column("map_at_r", "MAP@R"),
    Column("clusters_accuracy", "k-means, matched to classes"),
    Column("clusters_ami", "AMI"),
    Column("silhouette_clusters", "silhouette by cluster"),
    Column("silhouette_classes", "silhouette by class"),
    Column("auc_2", "AUC of MNIST, k = 2"),
    Column("auc_5", "k = 5"),
    Column("rank", "effective rank", 1),
    Column("projection_rank", "of the projection", 1),
)
_FULL, _BARE, _NEAR, _SHORT = (
    "VICReg",
    "without variance",
    "neighbours as views",
    "neighbours, one epoch",
)
VICREG: Final = Study(
    heading="VICReg, without its variance term, and with neighbours as views (CIFAR-10)",
    about="The converged probe is a logistic regression of standardised values, whose penalty is "
    "chosen on training images; the published one is a linear layer on raw values, Adam at 3e-4 "
    "for 10 epochs. Probes, kNN and outliers use the same training images in every row, of which "
    "the network saw a part. "
    "The backbone's features come before the layer of 128 numbers, which the analysis probed. "
    "Outliers are test images of MNIST, by the mean distance to the two nearest training images, "
    "as published. Its code trains the model of neighbours for one epoch, which has a row of its "
    "own. On the subset: 1,000 training images of 16x16 pixels, a ResNet-18 an eighth as wide, "
    "Adam at 1e-3, 120 steps of 64 images.",
    variants=(
        Variant(_FULL, "cifar10-vicreg"),
        Variant(_BARE, "cifar10-vicreg-no-variance"),
        Variant(_NEAR, "cifar10-vicreg-neighbours", earlier=_FULL),
        Variant(_SHORT, "cifar10-vicreg-neighbours", ("train.epochs=1",), earlier=_FULL),
    ),
    measure=_measured,
    references=_references,
    columns=_PROBES,
    more_columns=_OTHERS,
    subset=(
        "data.val_fraction=0.02",
        "data.per_class=100",
        "data.size=16",
        "method.width=8",
        "train.epochs=8",
        "train.batch_size=64",
        "train.lr=1e-3",
        *_ANALYSIS,
    ),
    full=("data.val_fraction=0.05", "train.lr=3e-4", *_ANALYSIS),
    comparisons=(
        *(
            Comparison(claim, published, first, second, "published_representation")
            for claim, published, first, second in (
                ("VICReg against none of its variance", "0.627 against 0.147", _FULL, _BARE),
                ("VICReg against neighbours", "0.627 against 0.501", _FULL, _NEAR),
                ("neighbours against no variance", "0.501 against 0.147", _NEAR, _BARE),
            )
        ),
        *(
            Comparison(claim, published, first, second, "probe_representation")
            for claim, published, first, second in (
                ("VICReg against none of its variance", "the same order", _FULL, _BARE),
                ("VICReg against neighbours", "the same order", _FULL, _NEAR),
                ("without variance against untrained", "chance is 0.1", _BARE, UNTRAINED),
            )
        ),
        *(
            Comparison("VICReg against the pixels", "–", _FULL, INPUTS, measure, larger=None)
            for measure in ("probe_representation", "knn_20")
        ),
        *(
            Comparison(claim, "neighbours much better", first, _FULL, "auc_2")
            for claim, first in (
                ("MNIST as outliers: neighbours against VICReg", _NEAR),
                ("MNIST as outliers: neighbours for one epoch against VICReg", _SHORT),
                ("MNIST as outliers: untrained against VICReg", UNTRAINED),
            )
        ),
    ),
    published={
        _FULL: "probe 0.627",
        _BARE: "probe 0.147",
        _NEAR: "probe 0.501, AUC almost 1",
    },
)


def _eigenmaps(run: Finished) -> tuple[Numbers, Numbers]:
    test = run.test()
    outliers = mnist_as(run.dataset.train.shape)
    strange = run.embedded(run.method, outliers, torch.arange(len(outliers)))["representation"]
    converged, published = probes(test)
    more = {"probe": converged, "published": published}
    return knn(run.validation()), _of_space(test, strange) | more


def _eigenmap_references(run: Finished) -> dict[str, Numbers]:
    train = run.dataset.train
    space = run.pixels(train, torch.arange(len(train)))
    outliers = mnist_as(train.shape)
    strange = run.dataset.inputs(outliers, torch.arange(len(outliers))).flatten(1)
    converged, published = probes(space)
    return {INPUTS: _of_space(space, strange) | {"probe": converged, "published": published}}


EIGENMAPS: Final = Study(
    heading="Laplacian eigenmaps of the pixels (CIFAR-10)",
    about="The baseline of the VICReg analysis, which shows its map and no numbers: eigenvectors "
    "of the graph of the ten nearest neighbours among pixels. Test images are placed by their "
    "neighbours.",
    variants=(
        Variant("2-D", "cifar10-eigenmaps"),
        Variant("128-D", "cifar10-eigenmaps", ("method.latent_dim=128",)),
    ),
    measure=_eigenmaps,
    references=_eigenmap_references,
    columns=(
        Column("probe", "probe"),
        Column("published", "published probe"),
        Column("knn_20", "kNN@20"),
        Column("clusters_ami", "AMI of k-means"),
        Column("map_at_r", "MAP@R"),
        Column("auc_2", "AUC of MNIST"),
    ),
    subset=("data.val_fraction=0.02", "data.per_class=200"),
    full=("data.val_fraction=0.05",),
    comparisons=(
        Comparison(
            "128-D against 2-D", "not published in numbers", "128-D", "2-D", "knn_20", larger=None
        ),
        *(
            Comparison(f"{label} against the pixels", "–", label, INPUTS, measure, larger=None)
            for label in ("2-D", "128-D")
            for measure in ("knn_20", "probe")
        ),
    ),
)
