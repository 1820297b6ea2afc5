"""A preset's settings in words, a list of short phrases per topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_latent.runs.metric_specs import spec_of
from tui_latent.tui.format import number

if TYPE_CHECKING:
    from tui_latent.config.settings import (
        AugmentSettings,
        AutoencoderSettings,
        ContrastiveSettings,
        DataSettings,
        EigenmapsSettings,
        MethodSettings,
        Preset,
        SiameseSettings,
        TripletSettings,
        VicregSettings,
    )
    from tui_latent.datasets.describe import SourceFacts

_INPUTS: Final = {
    "hog": "HOG features",
    "resnet18": "ResNet-18 features",
    "resnet50": "ResNet-50 features",
}
_PER_CENT_OF_VIEWS: Final = (
    ("thickness", "thicker or thinner strokes"),
    ("flip", "mirror"),
    ("grayscale", "grey"),
    ("blur", "blur"),
    ("solarize", "solarize"),
)


def data_words(data: DataSettings, facts: SourceFacts | None) -> list[str]:
    """Say which images, how many, how large, and whether they are here."""
    words = [facts.name if facts is not None else data.source]
    if facts is not None:
        if facts.train is not None:
            words.append(f"{facts.train:,} train")
        if facts.held_out is not None and not data.val_fraction:
            words.append(f"{facts.held_out:,} held out")
    if data.val_fraction:
        words.append(f"{_per_cent(data.val_fraction)} of them held out")
    if facts is not None and facts.shape is not None:
        channels, height, width = facts.shape
        words.append(f"{height}×{width}{' colour' if channels == 3 else ''}")
    if data.classes:
        words.append(f"classes {', '.join(data.classes)}")
    if data.per_class:
        words.append(f"at most {data.per_class:,} a class")
    if data.merge:
        words.append(f"classes merged: {', '.join(data.merge)}")
    if data.inputs != "raw":
        words.append(_INPUTS[data.inputs])
    if facts is not None:
        words.append(facts.note)
    return words


def method_words(preset: Preset) -> list[str]:
    """Say which loss on what, with the settings that shape it."""
    method = preset.method
    words = _loss_words(method)
    if method.name != "eigenmaps":
        words.append(f"{method.network}, width {method.width}")
    return words


def latent_words(preset: Preset) -> list[str]:
    """Say how many numbers an image becomes, and whether a label was seen for it."""
    method = preset.method
    words = [f"{method.latent_dim}-D"]
    if method.name == "contrastive" and method.norm_weight:
        words.append(f"norm {method.norm_weight:g}")
    if method.name == "contrastive" and method.gaussian:
        words.append("a Gaussian per image")
    words.append("labels seen" if preset.supervised else "no label seen")
    return words


def training_words(preset: Preset) -> list[str]:
    """Say how long and how fast it trains."""
    if preset.method.name == "eigenmaps":
        return ["one fit, no training"]
    train = preset.train
    stages = preset.training_stages()
    epochs = " + ".join(str(stage.epochs) for stage in stages)
    words = [f"{epochs} epochs" + (f" in {len(stages)} stages" if len(stages) > 1 else "")]
    rates = " → ".join(f"{stage.lr:g}" for stage in stages)
    return [*words, f"batch {train.batch_size:,}", f"{train.optimizer}, rate {rates}"]


def view_words(augment: AugmentSettings) -> list[str]:
    """Say what makes one view of an image differ from another."""
    words = []
    if augment.rotate:
        words.append(f"rotate ±{augment.rotate:g}°")
    if augment.shear:
        words.append(f"shear ±{augment.shear:g}°")
    if augment.scale:
        words.append(f"scale ±{_per_cent(augment.scale)}")
    if augment.translate:
        words.append(f"shift ±{_per_cent(augment.translate)}")
    if augment.elastic:
        words.append(f"elastic {_per_cent(augment.elastic)}")
    if augment.crop:
        words.append(f"crop to {_per_cent(augment.crop)} or more")
    for name, text in _PER_CENT_OF_VIEWS:
        if share := getattr(augment, name):
            words.append(text if share == 1 else f"{text} {_per_cent(share)}")
    if augment.jitter:
        words.append(f"colours {_per_cent(augment.jitter)}")
    if augment.noise:
        words.append(f"noise {augment.noise:g}")
    return words or ["none: images as they are"]


def expect_words(expect: dict[str, float]) -> list[str]:
    """Say what was measured with the preset."""
    return [f"{spec_of(name).short} {number(value)}" for name, value in expect.items()]


def _loss_words(method: MethodSettings) -> list[str]:
    if method.name == "contrastive":
        return _contrastive(method)
    if method.name == "vicreg":
        return _vicreg(method)
    if method.name == "triplet":
        return _triplet(method)
    if method.name == "siamese":
        return _siamese(method)
    if method.name == "autoencoder":
        return _autoencoder(method)
    return _eigenmaps(method)


def _contrastive(method: ContrastiveSettings) -> list[str]:
    loss = (
        "contrastive, Cauchy InfoNCE"
        if method.loss == "cauchy"
        else f"contrastive, NT-Xent at temperature {method.temperature:g}"
    )
    return [loss] + ["decoupled"] * method.decoupled


def _vicreg(method: VicregSettings) -> list[str]:
    weights = (method.invariance_weight, method.variance_weight, method.covariance_weight)
    words = ["VICReg " + " : ".join(f"{weight:g}" for weight in weights)]
    if method.views == "neighbours":
        words.append(f"views are {method.neighbours} neighbours in {method.neighbours_run or '?'}")
    return words


def _triplet(method: TripletSettings) -> list[str]:
    return [f"class triplets, margin {method.margin:g}", f"{method.negatives} negatives"]


def _siamese(method: SiameseSettings) -> list[str]:
    kind = "variational autoencoder" if method.variational else "autoencoder"
    return [
        f"class {method.pairing} on a {kind}"
        if method.variational
        else f"class {method.pairing} on an {kind}",
        f"metric {_per_cent(method.metric_weight)}, rest reconstruction",
    ]


def _autoencoder(method: AutoencoderSettings) -> list[str]:
    words = [
        f"variational autoencoder, beta {method.beta:g}" if method.variational else "autoencoder"
    ]
    return words + ["tanh latent"] * (method.activation == "tanh")


def _eigenmaps(method: EigenmapsSettings) -> list[str]:
    return [f"Laplacian eigenmaps, {method.neighbours} neighbours"]


def _per_cent(share: float) -> str:
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"
