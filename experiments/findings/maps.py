"""Maps without labels, beside what others published of theirs."""

from __future__ import annotations

from typing import Final

from experiments.findings.finished import Finished
from experiments.findings.measures import knn_of_run, knn_references
from experiments.findings.study import Column, Numbers, Study, Variant
from tui_latent.metrics.knn import evaluate_knn

_MNIST: Final = "at k = 5, without views: t-SNE 0.950, UMAP 0.954, parametric UMAP 0.961"
"""Sainburg, McInnes and Gentner 2021, held-out images"""
MNIST: Final = Study(
    heading="A map of MNIST without labels (60,000 training images, 10,000 test images)",
    about="One run of version 0.1, whose settings were chosen by the kNN of the images that it "
    "reports: the number is optimistic, and version 0.2 has not been measured. Its views know how "
    "handwriting varies, which the published maps are not told. `python -m experiments.findings "
    "mnist --full --seeds 5` trains it anew on nine tenths of the training images, and measures "
    "an untrained network and the pixels too.",
    variants=(Variant("mnist-contrastive-2d-long", "mnist-contrastive-2d-long"),),
    measure=knn_of_run,
    references=knn_references,
    columns=(
        Column("knn_1", "kNN@1", 4),
        Column("knn_5", "kNN@5", 4),
        Column("knn_20", "kNN@20", 4),
    ),
    full=("data.val_fraction=0.1",),
    published={"mnist-contrastive-2d-long": _MNIST},
)


def _knn_15(run: Finished) -> tuple[Numbers, Numbers]:
    numbers = []
    for space in (run.validation(), run.test()):
        bank, labels = space.bank, space.bank_labels
        found = evaluate_knn(bank, labels, space.queries, space.query_labels, 10, (5, 15))
        numbers.append({f"knn_{k}": accuracy for k, accuracy in found.accuracies.items()})
    return numbers[0], numbers[1]


CIFAR: Final = Study(
    heading="A map of CIFAR-10 without labels",
    about="A small network trained on a sixth of CIFAR-10 on a CPU. The published number needs "
    "the ResNet-18 and a GPU, and its network was trained on the test images too. One run of "
    "version 0.1, without an untrained network or pixels beside it: it shows no more than that "
    "the preset trains.",
    variants=(
        Variant(
            "t-SimCNE",
            "cifar10-tsimcne-2d",
            subset_preset="experiments/cifar10-tsimcne-subset.toml",
        ),
    ),
    measure=_knn_15,
    columns=(Column("knn_5", "kNN@5"), Column("knn_15", "kNN@15")),
    full=("data.val_fraction=0.05",),
    seeds=1,
    published={"t-SimCNE": "0.888 at k = 15; t-SNE of the pixels 0.261 at k = 5"},
)
