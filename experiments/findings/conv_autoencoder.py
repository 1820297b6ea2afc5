"""The findings of MNIST_CAELatentSpace (Anindya-Prithvi): samples of a class, and LDA."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from experiments.findings.finished import Finished, Space
from experiments.findings.measures import knn, nearest_mean, untrained_and_pixels
from experiments.findings.study import INPUTS, Column, Comparison, Numbers, Study, Variant
from tui_latent.datasets.image_set import pixels
from tui_latent.metrics.class_gaussians import class_samples, lda_classifier

SAMPLES: Final = 128
"""as in the notebook"""
DIGIT: Final = 2
_VARIANT: Final = "autoencoder, 7-D"


@torch.inference_mode()
def _measured(run: Finished) -> tuple[Numbers, Numbers]:
    test = run.test()
    found = knn(test)
    for dimensions in (2, 3):
        found[f"lda_{dimensions}"] = lda_accuracy(test, dimensions)
    generator = torch.Generator().manual_seed(run.preset.train.seed)
    drawn = class_samples(test.bank, test.bank_labels, DIGIT, SAMPLES, generator)
    called = lda_classifier(test.bank, test.bank_labels)
    decoded = run.method.decode(drawn)
    assert decoded is not None, "autoencoders have a decoder"
    again = run.method.embed(run.dataset.normalise(decoded))
    found["drawn"] = _share(called(drawn))
    found["decoded"] = _share(called(again))
    x_hat = run.method.decode(test.queries)
    assert x_hat is not None
    found["mse"] = float((x_hat - pixels(run.source.val, run.test_rows)).square().mean())
    return knn(run.validation()), found


def _references(run: Finished) -> dict[str, Numbers]:
    """Return the overlap in an LDA of an untrained network's latents, and of the pixels."""
    spaces = untrained_and_pixels(run)
    return {
        label: {f"lda_{n}": lda_accuracy(space, n) for n in (2, 3)}
        for label, space in spaces.items()
    }


def _share(called: Tensor) -> float:
    return float((called == DIGIT).double().mean())


def lda_accuracy(space: Space, dimensions: int) -> float:
    """Return the share of queries nearest to their own class's mean in an LDA's first dimensions.

    The LDA is fitted to the bank: its dimensions have the within-class spread of 1, so the nearest
    mean is its own decision. What is missing to 1 is how far the clusters of the picture overlap.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    bank, labels = space.bank.double().numpy(), space.bank_labels.numpy()
    lda = LinearDiscriminantAnalysis(n_components=dimensions).fit(bank, labels)
    shown = Space(
        torch.from_numpy(lda.transform(bank)),
        space.bank_labels,
        torch.from_numpy(lda.transform(space.queries.double().numpy())),
        space.query_labels,
    )
    return nearest_mean(shown)


CONV_AUTOENCODER: Final = Study(
    heading="Samples of a class, and LDA of the 7-D autoencoder (MNIST)",
    about="The notebook draws 128 samples of the Gaussian of the digit 2, of which its LDA calls "
    "93 (0.727) a 2, and shows the classes almost without overlap in a 3-D LDA. Overlap is "
    "measured here by the test images: the share that is nearest to its own class's mean among "
    "the first two or three dimensions of the LDA; the same is asked of an untrained network's "
    "latents and of the pixels. 93 of 128 is one sample of one network: its own 95 % interval is "
    "0.64 to 0.80. On the subset 15 epochs are trained.",
    variants=(Variant(_VARIANT, "mnist-conv-autoencoder-7d"),),
    measure=_measured,
    references=_references,
    columns=(
        Column("drawn", "samples of 2 called 2 (published: 0.727)"),
        Column("decoded", "the same, decoded and embedded"),
        Column("lda_2", "own class in 2-D LDA"),
        Column("lda_3", "own class in 3-D LDA"),
        Column("mse", "MSE (published: 0.02)", 4),
    ),
    subset=(
        "data.val_fraction=0.02",
        "data.per_class=200",
        "train.batch_size=64",
        "train.epochs=15",
        "train.eval_every=99",
        "train.checkpoint_every=99",
    ),
    full=("data.val_fraction=0.1",),
    comparisons=tuple(
        Comparison(
            f"own class in {n}-D LDA, against the pixels",
            "–",
            _VARIANT,
            INPUTS,
            f"lda_{n}",
            larger=None,
        )
        for n in (2, 3)
    ),
)
