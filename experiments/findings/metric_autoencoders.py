"""The findings of weakly-supervised metric embeddings (Ravi Kumar): mu and the dimension."""

from __future__ import annotations

from typing import Final

import torch

from experiments.findings.finished import Finished
from experiments.findings.measures import knn, knn_references
from experiments.findings.study import INPUTS, Choice, Column, Comparison, Numbers, Study, Variant
from tui_latent.datasets.image_set import pixels

_KINDS: Final = {
    "siamese AE": "mnist-pairwise-ae",
    "triplet AE": "mnist-triplet-ae",
    "siamese VAE": "mnist-pairwise-vae",
    "triplet VAE": "mnist-triplet-vae",
}
_MUS: Final = ("0", "0.75", "1")
_FIRST: Final = ("siamese AE", "0")
"""whose untrained networks stand for all of their dimension"""
_DIMENSIONS: Final = (2, 10)


@torch.inference_mode()
def _measured(run: Finished) -> tuple[Numbers, Numbers]:
    """Return kNN, and the mean squared error of the test images' reconstructions."""
    validation, test = run.validation(), run.test()
    errors = []
    for rows in run.test_rows.split(500):  # type: ignore[no-untyped-call]
        seen = run.source.val
        x_hat = run.method.decode(run.method.embed(run.dataset.inputs(seen, rows)))
        assert x_hat is not None, "siamese networks have a decoder"
        errors.append((x_hat - pixels(seen, rows)).square().flatten(1).mean(1))
    return knn(validation), knn(test) | {"mse": float(torch.cat(errors).mean())}


def _label(kind: str, mu: str, dimensions: int) -> str:
    return f"{kind}, mu {mu}, {dimensions}-D"


METRIC_AUTOENCODERS: Final = Study(
    heading="Siamese and triplet autoencoders: mu and the dimension (MNIST)",
    about="The loss is mu times the metric plus (1 - mu) times the reconstruction. Ravi Kumar's "
    "experiments run over lists of mu and of dimensions, and show kNN with five neighbours and "
    "reconstructions; the README has no table of results. mu 0 is an autoencoder alone, mu 1 a "
    "metric alone, whose decoder learns nothing. Training uses labels. On the subset, networks are "
    "a quarter as wide, and the rate is 1e-3 instead of 1e-4, because the steps are far fewer. The "
    "untrained networks are those of the siamese autoencoder.",
    variants=tuple(
        Variant(
            _label(kind, mu, dimensions),
            preset,
            (f"method.metric_weight={mu}", f"method.latent_dim={dimensions}"),
            untrained=f"{dimensions}-D" if (kind, mu) == _FIRST else "",
        )
        for dimensions in _DIMENSIONS
        for kind, preset in _KINDS.items()
        for mu in _MUS
    ),
    measure=_measured,
    references=knn_references,
    columns=(
        Column("knn_5", "kNN@5"),
        Column("mse", "MSE of reconstructions", 4),
    ),
    subset=(
        "data.val_fraction=0.02",
        "data.per_class=200",
        "method.width=8",
        "method.hidden_dim=64",
        "train.epochs=10",
        "train.lr=1e-3",
        "train.eval_every=99",
        "train.checkpoint_every=99",
    ),
    full=("data.val_fraction=0.1",),
    seeds=5,
    comparisons=(
        *(
            Comparison(
                f"{kind}, {dimensions}-D: mu 0.75 against {other}",
                published,
                _label(kind, "0.75", dimensions),
                _label(kind, other, dimensions),
                "knn_5",
                larger,
            )
            for kind in _KINDS
            for dimensions in _DIMENSIONS
            for other, published, larger in (
                ("0", "the metric helps", True),
                ("1", "not published in numbers", None),
            )
        ),
        Comparison(
            "triplet AE, 10-D: mu 0.75 against the pixels",
            "–",
            _label("triplet AE", "0.75", 10),
            INPUTS,
            "knn_5",
            larger=None,
        ),
    ),
    choices=tuple(
        Choice(
            f"mu for the {kind} in {dimensions}-D",
            tuple(_label(kind, mu, dimensions) for mu in _MUS),
            "knn_5",
        )
        for kind in _KINDS
        for dimensions in _DIMENSIONS
    ),
)
