"""A preset in words: a list of short phrases for each topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_latent.config.feature_models import published_model
from tui_latent.nouns import counted
from tui_latent.runs.metric_specs import spec_of
from tui_latent.tui.format import number

if TYPE_CHECKING:
    from tui_latent.config.settings import AugmentSettings, DataSettings, Preset
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
    """Describe the images: which, how many, how large, and whether they are on disk."""
    words = [facts.name if facts is not None else data.source]
    if facts is not None:
        if facts.train is not None:
            words.append(f"{facts.train:,} train")
        if facts.held_out is not None and not data.val_fraction:
            words.append(f"{facts.held_out:,} held out")
    if data.val_fraction:
        words.append(f"{_per_cent(data.val_fraction)} held out")
    if facts is not None and facts.shape is not None:
        channels, height, width = facts.shape
        kind = {1: "", 3: " colour"}.get(channels, f", {channels} channels")
        words.append(f"{height}×{width}{kind}")
    words += pixel_words(data)
    if data.classes:
        words.append(f"classes {', '.join(data.classes)}")
    if data.labels == "none":
        words.append("without classes")
    if data.per_class:
        images = "images" if data.labels == "none" else "per class"
        words.append(f"at most {data.per_class:,} {images}")
    if data.merge:
        words.append(f"classes merged: {', '.join(data.merge)}")
    if data.inputs != "raw":
        words.append(_inputs_words(data.inputs))
    if facts is not None:
        words.append(facts.note)
    return words


def pixel_words(data: DataSettings) -> list[str]:
    """Say how values become pixels, where a setting differs from its default."""
    words = []
    if data.fit != "crop":
        words.append({"pad": "padded to squares", "stretch": "stretched to squares"}[data.fit])
    if isinstance(data.range, tuple):
        words.append(f"values from {data.range[0]:g} to {data.range[1]:g}")
    elif data.range != "dtype":
        words.append("values from percentile {} to {}".format(*data.range.split()[1:]))
    if data.show:
        several = "s" if len(data.show) > 1 else ""
        words.append(f"channel{several} {', '.join(map(str, data.show))} shown")
    return words


def _inputs_words(inputs: str) -> str:
    if inputs in _INPUTS:
        return _INPUTS[inputs]
    model = published_model(inputs)
    if model is None:
        return f"features of {inputs}"
    name = model.name.partition(".")[0]  # the tag says which weights, and takes a line
    return f"features of {name} ({model.library})"


def method_words(preset: Preset) -> list[str]:
    """Describe the loss and the network, with the settings that shape them."""
    return preset.method.summary() + preset.method.network_summary()


def latent_words(preset: Preset) -> list[str]:
    """Describe the latent space, and say whether labels are used to train it."""
    method = preset.method
    labels = "trained with labels" if method.supervised else "trained without labels"
    return [f"{method.latent_dim}-D", *method.latent_summary(), labels]


def training_words(preset: Preset) -> list[str]:
    """Say how long and how fast it trains."""
    if preset.method.fitted:
        return ["one fit, no training"]
    train = preset.train
    stages = preset.training_stages()
    words = [counted(stages[0].epochs, "epoch")]
    if len(stages) > 1:
        epochs = " + ".join(str(stage.epochs) for stage in stages)
        words = [f"{epochs} epochs in {len(stages)} stages"]
    rates = " → ".join(f"{stage.lr:g}" for stage in stages)
    return [*words, f"batch size {train.batch_size:,}", f"{train.optimizer}, learning rate {rates}"]


def view_words(augment: AugmentSettings, channels: int = 3) -> list[str]:
    """Describe the random augmentations of images of some channels."""
    words = []
    coloured = channels == 3
    if not coloured:  # what needs red, green and blue is left out
        augment = augment.model_copy(update={"grayscale": 0.0})
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
    if augment.jitter and (coloured or augment.brightness or augment.contrast):
        of = "colours" if coloured else "brightness and contrast"
        words.append(f"{of} {_per_cent(augment.jitter)}")
    if augment.noise:
        words.append(f"noise {augment.noise:g}")
    if augment.feature_noise:
        words.append(f"noise {augment.feature_noise:g} on features")
    if augment.feature_dropout:
        words.append(f"{_per_cent(augment.feature_dropout)} of features left out")
    return words or ["none: images are not augmented"]


def expect_words(expect: dict[str, float]) -> list[str]:
    """Say what was measured with the preset."""
    return [f"{spec_of(name).short} {number(value)}" for name, value in expect.items()]


def _per_cent(share: float) -> str:
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"
