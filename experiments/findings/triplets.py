"""The findings of alltom's contrastive representation learning: class triplets."""

from __future__ import annotations

from typing import Final

from experiments.findings.finished import Finished
from experiments.findings.measures import knn, knn_references, nearest_mean
from experiments.findings.study import INPUTS, Column, Comparison, Numbers, Study, Variant


def _measured(run: Finished) -> tuple[Numbers, Numbers]:
    """Return kNN, and the share of images nearest to the mean of their own class."""
    spaces = (run.validation(), run.test())
    validation, test = (knn(space) | {"class_mean": nearest_mean(space)} for space in spaces)
    return validation, test


CLASS_TRIPLETS: Final = Study(
    heading="Class triplets in two and three dimensions (MNIST)",
    about="alltom's system shows a Voronoi picture of the 2-D map and a cloud in 3-D, and gave no "
    "accuracies. kNN@1 is the share of test images that lie in a Voronoi cell of their own class, "
    "with a cell for each training image; with a cell for each class mean it is the last column. "
    "Training uses labels. It stops by the validation images. On the "
    "subset, networks are a quarter as wide.",
    variants=(
        Variant("2-D", "mnist-triplet-2d", untrained="2-D"),
        Variant("3-D", "mnist-triplet-3d", untrained="3-D"),
    ),
    measure=_measured,
    references=knn_references,
    columns=(
        Column("knn_1", "kNN@1 (Voronoi)"),
        Column("knn_5", "kNN@5"),
        Column("knn_20", "kNN@20"),
        Column("class_mean", "nearest class mean"),
    ),
    subset=(
        "data.val_fraction=0.02",
        "data.per_class=200",
        "method.width=8",
        "method.hidden_dim=64",
        "train.batch_size=128",
    ),
    full=("data.val_fraction=0.1",),
    comparisons=(
        Comparison(
            "3-D against 2-D", "not published in numbers", "3-D", "2-D", "knn_1", larger=None
        ),
        *(
            Comparison("3-D against the pixels", "–", "3-D", INPUTS, measure, larger=None)
            for measure in ("knn_1", "knn_20")
        ),
    ),
)
