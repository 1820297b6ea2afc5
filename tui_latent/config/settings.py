"""The settings of a preset: one model per table, without torch, so that menus can read them."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, model_validator
from pydantic_core import PydanticKnownError

from tui_latent.config.feature_models import InputsName
from tui_latent.config.methods import MethodSettings, parse_method
from tui_latent.config.section import LatentDim, NonNegative, Positive, Probability, Section
from tui_latent.sources import SOURCES

Acceleration = Literal["auto", "off", "compile", "graph"]
OF_FEATURES = ("feature_noise", "feature_dropout")
"""augmentations of features; all others change images"""
DEFAULT_VAL_FRACTION = 0.2
"""share of the training images held out if the source has no test images and none is set"""
_TWO_NUMBERS = re.compile(r"[\[(]?\s*([-+.\de]+)(?:\s*,\s*|\s+)([-+.\de]+)\s*[\])]?", re.IGNORECASE)
_PERCENTILES = re.compile(r"percentiles?[\s,]+([0-9.]+)[\s,]+([0-9.]+)")


def _known_source(name: str) -> str:
    if name not in SOURCES:
        known = " or ".join(f"'{source}'" for source in SOURCES)
        raise PydanticKnownError("literal_error", {"expected": known})
    return name


def _value_range(value: object) -> object:
    """Return `data.range` in its one spelling; ValueError says what it can be."""
    if isinstance(value, str) and (value := value.strip()) == "dtype":
        return value
    if isinstance(value, str) and (shares := _PERCENTILES.fullmatch(value)):
        low, high = float(shares[1]), float(shares[2])
        if 0 <= low < high <= 100:
            return f"percentile {low:g} {high:g}"
        raise ValueError("percentiles are from 0 to 100, the lower one first: 'percentile 1 99'")
    if isinstance(value, str) and (ends := _TWO_NUMBERS.fullmatch(value)):
        with suppress(ValueError):
            value = [float(ends[1]), float(ends[2])]
    pair = list(value) if isinstance(value, (list, tuple)) else []
    if len(pair) == 2 and all(type(end) in (int, float) for end in pair):
        if math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[0] < pair[1]:
            return float(pair[0]), float(pair[1])
        raise ValueError("the value shown as black must be below the one shown as white")
    raise ValueError("should be dtype, two percentiles such as 'percentile 1 99', or [low, high]")


ValueRange = Annotated[str | tuple[float, float], BeforeValidator(_value_range)]


class DataSettings(Section):
    """The images, and what the network sees of them."""

    source: Annotated[str, AfterValidator(_known_source)]
    """dataset, or `folder`, `arrays` or `manifest` for images of your own"""
    path: str = ""
    """image folder, .npz or .npy file, or table of images (CSV, Parquet, tar shards, …)"""
    root: str = ""
    """folder to which the paths in a table are relative; empty: that of the table"""
    image_column: str = ""
    """column of a table with the paths of the images; empty: `path`, `file_name`, `image`, …"""
    label_column: str = ""
    """column of a table with the classes; empty: `label`, `class`, …"""
    classes: tuple[str, ...] = ()
    """names of the classes to keep; empty keeps all"""
    per_class: int = Field(0, ge=0)
    """maximum number of training images per class, and of those without one; 0 keeps all"""
    labels: Literal["auto", "none"] = "auto"
    """`auto`: the classes of the source, where it has any; `none`: images without classes"""
    merge: dict[str, tuple[str, ...]] = {}
    """classes that training treats as one, name = [classes]; evaluation keeps them apart"""
    size: int = Field(0, ge=0, le=1024)
    """height and width in pixels to resize images to; 0 keeps their size (image folders: 64)"""
    fit: Literal["crop", "stretch", "pad"] = "crop"
    """how an image is made square: its centre alone, stretched, or whole with black borders"""
    range: ValueRange = "dtype"
    """values that become black and white: `dtype`, `percentile 1 99` of all, or [low, high]"""
    show: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=3)] = ()
    """channels to look at, as grey or as red, green and blue; empty shows the first three"""
    val_fraction: float = Field(0.0, ge=0.0, lt=1.0)
    """share of the training images to hold out; 0 uses the test images of the dataset, or 0.2"""
    skip_corrupt: bool = False
    """skip unreadable or missing images instead of refusing all"""
    inputs: InputsName = "raw"
    """what the network sees: `raw` pixels, `hog`, or the features of resnet18, resnet50, timm:NAME
    or open_clip:NAME/TAG (@224: at 224 pixels)"""
    weights: str = ""
    """file with its weights, instead of the published ones: safetensors or a state dict"""
    resident: Literal["auto", "device", "host", "disk"] = "auto"
    """where images are kept during training: on the device, in memory or on disk; `auto`: where
    they fit. The results are the same"""
    draw: Literal["auto", "random", "by-class"] = "auto"
    """how images are held out of the training images and limited by `per_class`: at random, or the
    same share of each class, which uses labels; `auto`: by class if the method uses them too"""
    class_order: Literal["natural", "plain"] = "natural"
    """order of a folder's classes: 1, 2, 10, or 1, 10, 2 as in runs of version 0.1; recorded in
    each run so that its labels keep their meaning, and not for presets to choose"""
    depth: Literal["full", "8-bit"] = "full"
    """bits and channels that are kept: those of the files, or 8 bits and colour alone as in runs of
    version 0.1; recorded in each run so that it sees the same images, and not for presets to
    choose"""

    @model_validator(mode="after")
    def _path_where_needed(self) -> DataSettings:
        if SOURCES[self.source].needs_path and not self.path:
            raise ValueError(f"source '{self.source}' needs a path: --set data.path=…")
        return self


class AugmentSettings(Section):
    """Random augmentations of an image; 0 turns one off."""

    rotate: float = Field(0.0, ge=0.0, le=180.0)
    """maximum rotation in degrees"""
    shear: float = Field(0.0, ge=0.0, le=60.0)
    """maximum shear in degrees"""
    scale: float = Field(0.0, ge=0.0, lt=1.0)
    """maximum relative change of width and height, drawn independently"""
    translate: float = Field(0.0, ge=0.0, le=1.0)
    """maximum shift, as a share of the image size"""
    elastic: NonNegative = 0.0
    """maximum elastic displacement in each direction, as a share of the image size"""
    elastic_grid: int = Field(6, ge=2, le=32)
    """control points per side of the elastic field; more points give finer distortions"""
    thickness: Probability = 0.0
    """share of views with strokes made up to one pixel thicker or thinner"""
    crop: float = Field(0.0, ge=0.0, lt=1.0)
    """minimum share of the area that a random crop keeps; 0 turns cropping off"""
    flip: Probability = 0.0
    """share of views flipped horizontally"""
    jitter: Probability = 0.0
    """share of views with colour jitter"""
    brightness: float = Field(0.0, ge=0.0, le=1.0)
    """maximum relative change of brightness"""
    contrast: float = Field(0.0, ge=0.0, le=1.0)
    """maximum relative change of contrast"""
    saturation: float = Field(0.0, ge=0.0, le=1.0)
    """maximum relative change of saturation"""
    hue: float = Field(0.0, ge=0.0, le=0.5)
    """maximum hue rotation, as a share of the colour wheel"""
    grayscale: Probability = 0.0
    """share of views converted to greyscale"""
    blur: Probability = 0.0
    """share of views blurred with a 3x3 Gaussian"""
    solarize: Probability = 0.0
    """share of views solarized: pixels brighter than half are inverted"""
    noise: NonNegative = 0.0
    """standard deviation of the noise added to each pixel, for pixel values from 0 to 1"""
    feature_noise: NonNegative = 0.0
    """standard deviation of the noise added to each feature; features have a deviation of 1"""
    feature_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """share of the features of a view that are left out; the others are scaled up, as in dropout"""

    def changes_images(self) -> bool:
        """Return whether any augmentation of images is turned on."""
        shapes = (*OF_FEATURES, "elastic_grid")
        return any(value for name, value in self if name not in shapes)

    def changes_features(self) -> bool:
        """Return whether any augmentation of features is turned on."""
        return bool(self.feature_noise or self.feature_dropout)


class TrainSettings(Section):
    """Optimisation, evaluation and checkpoints."""

    epochs: int = Field(10, ge=1)
    """passes over the training images; ignored if the preset has `[[stages]]`"""
    batch_size: int = Field(512, ge=2)
    """images (pairs, triplets) per step"""
    optimizer: Literal["adamw", "adam", "sgd", "lars"] = "adamw"
    """optimizer"""
    lr: Positive = 1e-3
    """peak learning rate"""
    weight_decay: NonNegative = 0.0
    """weight decay"""
    momentum: float = Field(0.9, ge=0.0, lt=1.0)
    """momentum (`sgd` and `lars` only)"""
    warmup_epochs: NonNegative = 0.0
    """epochs over which the learning rate rises from 0 to its peak"""
    schedule: Literal["cosine", "constant"] = "cosine"
    """learning rate schedule after the warm-up"""
    grad_clip: NonNegative = 0.0
    """maximum gradient norm; 0 turns clipping off"""
    patience: int = Field(0, ge=0)
    """steps without a better held-out loss after which training stops; 0 turns this off"""
    seed: int = Field(0, ge=0, lt=2**31)
    """random seed"""
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """`auto`, `cpu`, `cuda`, or a GPU such as `cuda:1`"""
    devices: int = Field(1, ge=1, le=1024)
    """processes that train together and divide each batch, each on a GPU of its own"""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """precision of the networks; losses are always computed in float32"""
    acceleration: Acceleration = "auto"
    """eager steps (`off`), torch.compile or a CUDA graph; `auto` tries them on a GPU only"""
    log_every: int = Field(10, ge=1)
    """steps between records of the loss"""
    eval_every: Positive = 1.0
    """epochs between evaluations"""
    checkpoint_every: Positive = 1.0
    """epochs between checkpoints; each evaluation writes one too"""
    checkpoint_seconds: Positive = 60.0
    """maximum seconds of training between checkpoints"""
    pause_on_collapse: bool = False
    """pause when an evaluation finds that the latents have collapsed"""


class StageSettings(Section):
    """One stage of training; a new `latent_dim` replaces the latent layer."""

    title: str = ""
    """name shown next to the progress bar"""
    epochs: int = Field(ge=1)
    """passes over the training images"""
    latent_dim: LatentDim
    """latent dimension in this stage; that of the last stage is the one of the run"""
    lr: Positive
    """peak learning rate of this stage"""
    warmup_epochs: NonNegative = 0.0
    """epochs over which the learning rate rises from 0 to its peak"""
    trainable: Literal["all", "latent layer"] = "all"
    """weights that are trained"""


class Preset(Section):
    """Everything that defines a run, as read from one TOML file."""

    title: str = ""
    """one line that describes the result"""
    about: str = ""
    """the work that it reproduces, and what was found there"""
    expect: dict[str, float] = {}
    """metric = value measured with this preset"""
    minutes: dict[Literal["cpu", "cuda"], float] = {}
    """device = minutes measured with this preset"""
    data: DataSettings
    augment: AugmentSettings = AugmentSettings()
    method: Annotated[SerializeAsAny[MethodSettings], BeforeValidator(parse_method)]
    train: TrainSettings = TrainSettings()
    stages: tuple[StageSettings, ...] = ()

    @model_validator(mode="after")
    def _labels_draw_only_for_methods_that_see_them(self) -> Preset:
        if self.data.draw == "auto":
            draw = "by-class" if self.method.supervised else "random"
            self.__dict__["data"] = self.data.model_copy(update={"draw": draw})
        return self

    @model_validator(mode="after")
    def _stages_fit_method(self) -> Preset:
        if not self.stages:
            return self
        if not self.method.staged:
            raise ValueError(f"the method '{self.method.name}' does not train in stages")
        if self.stages[-1].latent_dim != self.method.latent_dim:
            raise ValueError(
                f"the last stage's latent_dim is {self.stages[-1].latent_dim}, "
                f"method.latent_dim is {self.method.latent_dim}: make them the same, by "
                f"method.latent_dim and stages.{len(self.stages) - 1}.latent_dim"
            )
        return self

    def training_stages(self) -> tuple[StageSettings, ...]:
        """Return the stages of the preset, or the single one that `[train]` describes."""
        if self.stages:
            return self.stages
        return (
            StageSettings(
                epochs=self.train.epochs,
                latent_dim=self.method.latent_dim,
                lr=self.train.lr,
                warmup_epochs=self.train.warmup_epochs,
            ),
        )
