"""What a preset can say: one model per table, without torch, so that menus can read it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, model_validator
from pydantic_core import PydanticKnownError

from tui_latent.config.methods import MethodSettings, parse_method
from tui_latent.config.section import LatentDim, NonNegative, Positive, Probability, Section
from tui_latent.sources import SOURCES

Acceleration = Literal["auto", "off", "compile", "graph"]


def _known_source(name: str) -> str:
    if name not in SOURCES:
        known = " or ".join(f"'{source}'" for source in SOURCES)
        raise PydanticKnownError("literal_error", {"expected": known})
    return name


class DataSettings(Section):
    """Which images, and what of them the network sees."""

    source: Annotated[str, AfterValidator(_known_source)]
    """where the images come from"""
    path: str = ""
    """image folder or .npz file, for the sources `folder` and `arrays`"""
    classes: tuple[str, ...] = ()
    """keep only these classes, by name; empty keeps all"""
    per_class: int = Field(0, ge=0)
    """keep at most this many training images of a class; 0 keeps all"""
    merge: dict[str, tuple[str, ...]] = {}
    """composite labels for training, name = [classes]; evaluation keeps the plain labels"""
    size: int = Field(0, ge=0, le=1024)
    """resize images to this many pixels a side; 0 keeps theirs (image folders: 64)"""
    val_fraction: float = Field(0.0, ge=0.0, lt=1.0)
    """share of the training images held out; 0 takes the dataset's own test images, else 0.2"""
    skip_corrupt: bool = False
    """leave out unreadable images of a folder instead of refusing it"""
    inputs: Literal["raw", "hog", "resnet18", "resnet50"] = "raw"
    """what the network sees: pixels, HOG, or features of a network pretrained on ImageNet"""
    weights: str = ""
    """local file with the pretrained network's weights, for machines without a network"""
    class_order: Literal["natural", "plain"] = "natural"
    """of a folder's classes: 1, 2, 10, or 1, 10, 2 as runs of version 0.1 have it; kept in the
    run, so that its labels mean the same classes for ever, and no setting to choose"""

    @model_validator(mode="after")
    def _path_where_needed(self) -> DataSettings:
        if SOURCES[self.source].needs_path and not self.path:
            raise ValueError(f"source '{self.source}' needs a path: --set data.path=…")
        return self


class AugmentSettings(Section):
    """Random changes that make one view of an image; 0 switches a change off."""

    rotate: float = Field(0.0, ge=0.0, le=180.0)
    """largest rotation, degrees"""
    shear: float = Field(0.0, ge=0.0, le=60.0)
    """largest shear, degrees"""
    scale: float = Field(0.0, ge=0.0, lt=1.0)
    """largest relative change of width and of height, each drawn alone"""
    translate: float = Field(0.0, ge=0.0, le=1.0)
    """largest shift, as a share of the image's side"""
    elastic: NonNegative = 0.0
    """largest elastic displacement, as a share of the image's side"""
    elastic_grid: int = Field(6, ge=2, le=32)
    """control points a side of the elastic field; more means finer folds"""
    thickness: Probability = 0.0
    """share of views whose strokes are thickened or thinned by up to a pixel"""
    crop: float = Field(0.0, ge=0.0, lt=1.0)
    """smallest share of the area that a random crop keeps; 0 does not crop"""
    flip: Probability = 0.0
    """share of views mirrored left to right"""
    jitter: Probability = 0.0
    """share of views whose colours change"""
    brightness: float = Field(0.0, ge=0.0, le=1.0)
    """largest relative change of brightness"""
    contrast: float = Field(0.0, ge=0.0, le=1.0)
    """largest relative change of contrast"""
    saturation: float = Field(0.0, ge=0.0, le=1.0)
    """largest relative change of saturation"""
    hue: float = Field(0.0, ge=0.0, le=0.5)
    """largest turn of the hue, as a share of the colour circle"""
    grayscale: Probability = 0.0
    """share of views without colour"""
    blur: Probability = 0.0
    """share of views blurred by a 3x3 Gaussian"""
    solarize: Probability = 0.0
    """share of views whose bright half is inverted"""
    noise: NonNegative = 0.0
    """standard deviation of the noise added to every pixel, of 1"""


class TrainSettings(Section):
    """How long, how fast, and how often to look."""

    epochs: int = Field(10, ge=1)
    """passes over the training images; `[[stages]]`, where given, replace it"""
    batch_size: int = Field(512, ge=2)
    """images (pairs, triplets) per step"""
    optimizer: Literal["adamw", "adam", "sgd", "lars"] = "adamw"
    """update rule"""
    lr: Positive = 1e-3
    """largest learning rate"""
    weight_decay: NonNegative = 0.0
    """pull of the weights towards 0"""
    momentum: float = Field(0.9, ge=0.0, lt=1.0)
    """momentum of sgd and lars"""
    warmup_epochs: NonNegative = 0.0
    """epochs over which the learning rate rises from 0"""
    schedule: Literal["cosine", "constant"] = "cosine"
    """learning rate after the warm-up"""
    grad_clip: NonNegative = 0.0
    """largest gradient norm; 0 does not clip"""
    patience: int = Field(0, ge=0)
    """stop at an evaluation this many steps or more after the best held-out loss; 0 never"""
    seed: int = Field(0, ge=0, lt=2**31)
    """everything random starts from it"""
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """auto, cpu, cuda or cuda:1"""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """of the networks; losses are always float32"""
    acceleration: Acceleration = "auto"
    """plain steps, compiled ones or a CUDA graph; auto tries them on a GPU, and is off on a CPU"""
    log_every: int = Field(10, ge=1)
    """steps between two records of the loss"""
    eval_every: Positive = 1.0
    """epochs between two evaluations"""
    checkpoint_every: Positive = 1.0
    """epochs between two checkpoints; each evaluation writes one too"""
    checkpoint_seconds: Positive = 60.0
    """seconds of training after which a checkpoint is written in any case"""
    pause_on_collapse: bool = False
    """pause at the first evaluation that finds the latents collapsed"""


class StageSettings(Section):
    """One stage of training; the latent layer is made anew where `latent_dim` changes."""

    title: str = ""
    """shown beside the progress bar"""
    epochs: int = Field(ge=1)
    """passes over the training images"""
    latent_dim: LatentDim
    """numbers per image in this stage; the last stage's is the run's"""
    lr: Positive
    """largest learning rate of this stage"""
    warmup_epochs: NonNegative = 0.0
    """epochs over which the learning rate rises from 0"""
    trainable: Literal["all", "latent layer"] = "all"
    """which weights learn"""


class Preset(Section):
    """Everything that makes a run, as one TOML file says it."""

    title: str = ""
    """one line: what a person will see"""
    about: str = ""
    """which system it reproduces, and what that found"""
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
        """Return the stages to train: those given, or the one that `[train]` describes."""
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
