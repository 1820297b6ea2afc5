"""What is tried for better maps: changes of a preset, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Trial:
    """Changes of a preset, and why they could help."""

    why: str
    changes: Mapping[str, object] = field(default_factory=dict)
    average: float = 0.0
    """decay of an exponential average of the weights over the last stage; 0 for none"""


@dataclass(frozen=True)
class Task:
    """A preset, its goal, and what is tried."""

    preset: str
    share: float
    """of the training images, for validation"""
    goal: str
    trials: Mapping[str, Trial]


_SMALL_CONV = {"method.width": 8, "method.hidden_dim": 128, "method.head_dim": 256}
_DENSE = {"data.size": 14, "method.network": "mlp", "method.head_dim": 256}
_MIDDLE = {"title": "16-D", "latent_dim": 16, "lr": 3e-3, "warmup_epochs": 0.5}


def _annealed(wide: int, middle: int, alone: int, plane: int, dimension: int) -> dict[str, object]:
    """Return stages with one of 16 dimensions between the wide space and the plane."""
    stages: list[dict[str, object]] = [
        {"title": f"{dimension}-D", "epochs": wide, "latent_dim": dimension, "lr": 2e-3},
        {**_MIDDLE, "epochs": middle},
        {"epochs": alone, "latent_dim": 2, "lr": 1e-2, "trainable": "latent layer"},
        {"epochs": plane, "latent_dim": 2, "lr": 3e-3, "warmup_epochs": 0.2},
    ]
    return {"stages": stages}


def _stretched(wide: int, alone: int, plane: int) -> dict[str, object]:
    """Return other lengths of the three stages, in epochs."""
    return {f"stages.{index}.epochs": each for index, each in enumerate((wide, alone, plane))}


_NARROW = {"method.width": 8, "method.hidden_dim": 128, "method.head_dim": 128}
_FASTER = {"stages.0.lr": 4e-3, "stages.2.lr": 6e-3}
_EARLIER: dict[str, object] = {
    "method.width": 16,
    "method.hidden_dim": 256,
    "method.head_dim": 256,
    "stages.0.lr": 2e-3,
    "stages.2.lr": 3e-3,
    **_stretched(80, 15, 145),
}
"""the preset of the digits, but for its batches, until these trials"""
_BEFORE = _EARLIER | {"train.batch_size": 256}
_SMALL_BATCH = _EARLIER | {"train.batch_size": 128}
_NARROW_SMALL = _SMALL_BATCH | _NARROW
_HALF = _SMALL_BATCH | _stretched(40, 8, 72)

TASKS = {
    "digits": Task(
        "digits-contrastive-2d",
        0.2,
        "≥ 0.975 over five seeds in ≤ 15 s",
        {
            "before": Trial("as the preset was in version 0.1: batches of 256", _BEFORE),
            "small-batch": Trial("twice the steps of half the images", _SMALL_BATCH),
            "tiny-batch": Trial(
                "four times the steps of a quarter of the images",
                _EARLIER | {"train.batch_size": 64},
            ),
            "averaged": Trial("averaged weights (Polyak and Juditsky 1992)", _BEFORE, 0.99),
            "narrow": Trial("half the units: a third of the arithmetic", _BEFORE | _NARROW),
            "narrow-averaged": Trial(
                "the same, with averaged weights (Polyak and Juditsky 1992)",
                _BEFORE | _NARROW,
                0.99,
            ),
            "narrow-annealed": Trial(
                "16 dimensions between 64 and 2", _BEFORE | _NARROW | _annealed(60, 40, 15, 125, 64)
            ),
            "narrow-wider-views": Trial(
                "views that differ more",
                _BEFORE
                | _NARROW
                | {
                    "augment.rotate": 20,
                    "augment.shear": 15,
                    "augment.scale": 0.18,
                    "augment.elastic": 0.09,
                },
            ),
            "narrow-small-batch": Trial("small-batch with half the units", _NARROW_SMALL),
            "narrow-small-batch-faster": Trial(
                "the preset as it is: the same at twice the learning rate, longer in 64 dimensions",
                _NARROW_SMALL | _FASTER | _stretched(110, 15, 115),
            ),
            "narrow-small-batch-fewer": Trial(
                "the same with three quarters of the epochs",
                _NARROW_SMALL | _FASTER | _stretched(85, 10, 85),
            ),
            "narrow-trunk-faster": Trial(
                "half the units below the last layer but one, 170 epochs, twice the rate",
                _SMALL_BATCH | _FASTER | {"method.width": 8} | _stretched(85, 10, 75),
            ),
            "faster": Trial("small-batch at twice the learning rate", _SMALL_BATCH | _FASTER),
            "half": Trial("small-batch with half the epochs", _HALF),
            "half-faster": Trial("the same at twice the learning rate", _HALF | _FASTER),
            "half-fastest": Trial(
                "the same at four times the rate",
                _HALF | {"stages.0.lr": 8e-3, "stages.2.lr": 1.2e-2},
            ),
            "half-faster-longer-wide": Trial(
                "half-faster, with more of the time in 64 dimensions",
                _HALF | _FASTER | _stretched(56, 8, 56),
            ),
            "half-decoupled": Trial(
                "half, without the positive pair in the denominator (Yeh et al. 2022)",
                _HALF | {"method.decoupled": True},
            ),
            "half-longer-plane": Trial(
                "half, with less of the time in 64 dimensions", _HALF | _stretched(24, 6, 90)
            ),
        },
    ),
    "mnist": Task(
        "mnist-contrastive-2d-quick",
        0.1,
        "≥ 0.975 in ≤ 60 s on two cores",
        {
            "preset": Trial("as it is"),
            "longer": Trial(
                "22 epochs: mnist-contrastive-2d",
                _stretched(4, 1, 17) | {"stages.0.warmup_epochs": 1},
            ),
            "narrow": Trial("half the channels and units", _SMALL_CONV),
            "narrow-longer": Trial(
                "half the channels and units, and the time that this saves spent on epochs",
                _SMALL_CONV | {"stages.0.epochs": 4, "stages.2.epochs": 12},
            ),
            "small-images": Trial(
                "images of 20x20, half the arithmetic, and the time spent on epochs",
                {"data.size": 20, "stages.0.epochs": 4, "stages.2.epochs": 12},
            ),
            "narrow-small-images": Trial(
                "both: a quarter of the arithmetic",
                _SMALL_CONV | {"data.size": 20, "stages.0.epochs": 7, "stages.2.epochs": 22},
            ),
            "halved-images": Trial(
                "images of 14x14, two fifths of the arithmetic, and the time spent on epochs",
                {"data.size": 14} | _stretched(4, 1, 12),
            ),
            "halved-images-dense": Trial(
                "the same with dense layers, a quarter of the arithmetic",
                _DENSE | _stretched(6, 1, 20),
            ),
            "halved-images-faster": Trial(
                "halved-images at higher learning rates, batches of 256",
                {"data.size": 14, "train.batch_size": 256} | _stretched(4, 1, 12) | _FASTER,
            ),
            "averaged": Trial("averaged weights (Polyak and Juditsky 1992)", {}, 0.99),
            "annealed": Trial("16 dimensions between 128 and 2", _annealed(2, 1, 1, 4, 128)),
            "large-batch": Trial(
                "2,046 negatives instead of 1,022",
                {"train.batch_size": 1024, "stages.0.lr": 3e-3, "stages.2.lr": 4e-3},
            ),
        },
    ),
    "mnist-long": Task(
        "mnist-contrastive-2d-long",
        0.1,
        "≥ 0.990 over five seeds",
        {
            "preset": Trial("as it is"),
            "averaged": Trial("averaged weights (Polyak and Juditsky 1992)", {}, 0.999),
            "small-images": Trial(
                "images of 20x20 and half the channels", {"data.size": 20, "method.width": 16}
            ),
            "large-batch": Trial(
                "2,046 negatives instead of 1,022",
                {"train.batch_size": 1024, "stages.0.lr": 3e-3, "stages.2.lr": 4e-3},
            ),
        },
    ),
    "fashion": Task(
        "fashion-contrastive-2d",
        0.1,
        "≥ 0.86",
        {
            "preset": Trial("as it is"),
            "averaged": Trial("averaged weights (Polyak and Juditsky 1992)", {}, 0.99),
            "longer": Trial("twice the epochs", {"stages.0.epochs": 12, "stages.2.epochs": 36}),
        },
    ),
}
