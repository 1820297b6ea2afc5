"""The findings of ContrastiveMNIST (luciensc) in the plane."""

from __future__ import annotations

from typing import Final

from experiments.findings.measures import knn_of_run, knn_references
from experiments.findings.study import INPUTS, Choice, Column, Comparison, Study, Variant

_KNN: Final = (Column("knn_1", "kNN@1"), Column("knn_5", "kNN@5"), Column("knn_20", "kNN@20"))
_VALIDATION: Final = "data.val_fraction=0.02"
_SUBSET: Final = (
    _VALIDATION,
    "data.per_class=150",
    "method.width=8",
    "train.batch_size=128",
    "train.eval_every=99",
    "train.checkpoint_every=99",
)
_DIRECT: Final = "experiments/mnist-direct-2d.toml"
_WEIGHTS: Final = ("0", "0.01", "0.1")
_KERNELS: Final = {"dot": "dot product", "gaussian": "-d²"}
_TEMPERATURES: Final = ("0.1", "0.3", "1", "3")
_BATCHES: Final = (64, 128, 256, 512)

VIEWS: Final = Study(
    heading="Contrastive against reconstruction, augmentation, Gaussians (MNIST, 2-D)",
    about="ContrastiveMNIST gave no accuracies. Its two large findings are the first two rows of "
    "the second table.",
    variants=(
        Variant("contrastive", "mnist-contrastive-2d"),
        Variant("reconstruction", "mnist-autoencoder-2d"),
        Variant("harsh views", "mnist-contrastive-2d-harsh"),
        Variant("a Gaussian per image", "mnist-contrastive-2d-gaussian"),
    ),
    measure=knn_of_run,
    references=knn_references,
    columns=_KNN,
    subset=_SUBSET,
    full=("data.val_fraction=0.1",),
    comparisons=(
        Comparison(
            "contrastive against reconstruction",
            "contrastive much better",
            "contrastive",
            "reconstruction",
            "knn_20",
        ),
        Comparison(
            "subtle against harsh views", "subtle better", "contrastive", "harsh views", "knn_20"
        ),
        Comparison(
            "a Gaussian per image against a point",
            "open question",
            "a Gaussian per image",
            "contrastive",
            "knn_20",
            larger=None,
        ),
        Comparison(
            "contrastive against the pixels", "–", "contrastive", INPUTS, "knn_20", larger=None
        ),
    ),
)


def _norm(kernel: str, weight: str) -> str:
    return f"{_KERNELS[kernel]}, weight {weight}"


NORM: Final = Study(
    heading="L2 on the latents (MNIST, 2-D)",
    about="ContrastiveMNIST found that a penalty on the length of the latents helps kNN. Its "
    "similarity is not known. With a cosine a penalty could change nothing, so the two others "
    "over a temperature of 1 are tried, trained in 2-D from the start, as there. The weight is "
    "that of the mean squared length. Every seed has the same images, first weights and views in "
    "all rows. Two weights are compared with none for each similarity: four intervals, none of "
    "them corrected for that.",
    variants=tuple(
        Variant(
            _norm(kernel, weight),
            _DIRECT,
            (f"method.loss={kernel}", f"method.norm_weight={weight}"),
        )
        for kernel in _KERNELS
        for weight in _WEIGHTS
    ),
    measure=knn_of_run,
    references=knn_references,
    columns=_KNN,
    subset=(*_SUBSET, "train.epochs=22"),
    full=("data.val_fraction=0.1",),
    seeds=10,
    comparisons=tuple(
        Comparison(
            f"{_KERNELS[kernel]}: weight {weight} against none",
            "L2 helps",
            _norm(kernel, weight),
            _norm(kernel, "0"),
            "knn_20",
        )
        for kernel in _KERNELS
        for weight in _WEIGHTS[1:]
    ),
    choices=tuple(
        Choice(f"weight for {words}", tuple(_norm(kernel, weight) for weight in _WEIGHTS))
        for kernel, words in _KERNELS.items()
    ),
)
TEMPERATURE: Final = Study(
    heading="Temperature and batch size (MNIST, 2-D)",
    about="The other questions of ContrastiveMNIST, which published no answer in numbers. The "
    "similarity is that of -d² over the temperature, trained in 2-D from the start. All batch "
    "sizes see the images equally often, so that small ones take more steps, at one learning rate.",
    variants=(
        *(
            Variant(
                f"temperature {temperature}",
                _DIRECT,
                (f"method.temperature={temperature}",),
            )
            for temperature in _TEMPERATURES
        ),
        *(
            Variant(f"batch {size}", _DIRECT, (f"train.batch_size={size}",))
            for size in _BATCHES
            if size != 128
        ),
    ),
    measure=knn_of_run,
    references=knn_references,
    columns=_KNN,
    subset=(*_SUBSET, "train.epochs=22"),
    full=("data.val_fraction=0.1", "train.batch_size=128"),
    comparisons=(
        *(
            Comparison(
                f"temperature {temperature} against 1",
                "open question",
                f"temperature {temperature}",
                "temperature 1",
                "knn_20",
                larger=None,
            )
            for temperature in _TEMPERATURES
            if temperature != "1"
        ),
        *(
            Comparison(
                f"batches of {size} against 128",
                "open question",
                f"batch {size}",
                "temperature 1",
                "knn_20",
                larger=None,
            )
            for size in _BATCHES
            if size != 128
        ),
    ),
    choices=(Choice("temperature", tuple(f"temperature {value}" for value in _TEMPERATURES)),),
)
