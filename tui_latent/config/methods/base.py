"""The description of a method, without torch: settings, loss terms, words and report.

Training, menus, forms, reports and comparisons read these classes and know no method by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar, get_args, get_origin

from pydantic import Field, ValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError

from tui_latent.config.networks import NetworkName
from tui_latent.config.section import LatentDim, Section
from tui_latent.plugins.registry import PluginError, Registry

Spec = TypeVar("Spec", bound="type[MethodSettings]")


class EarlierRun(NamedTuple):
    """An earlier run from whose latents the second view of each image is drawn."""

    setting: str
    """method setting that names the run"""
    run: str
    """path, name or `latest`; empty if it is not set"""
    neighbours: int
    """number of nearest neighbours from which the view is drawn"""
    itself: bool = False
    """whether the image itself may be drawn as well"""


class MethodSettings(Section):
    """The `[method]` table of a preset."""

    name: str
    """name of the method; each method narrows it to a literal"""
    latent_dim: LatentDim
    """dimension of the latent space: numbers per image"""

    trained_by: ClassVar[str] = ""
    """the class with the networks and losses, or a function that returns it, as `module:Name`, or
    `:Name` in the same file; it needs torch, and is imported when it is first trained or read"""
    supervised: ClassVar[bool] = False
    """whether training sees labels"""
    decodes: ClassVar[bool] = False
    """whether it can turn latents back into images"""
    staged: ClassVar[bool] = False
    """whether it can train in `[[stages]]`"""
    fitted: ClassVar[bool] = False
    """whether it is fitted to all training images in one go, without steps or random numbers"""
    terms: ClassVar[Mapping[str, str]] = {}
    """name of each loss term that it may record, with a sentence on what it measures and when to
    worry; the sentences left empty are those of `TERMS` in `runs/metric_specs.py`"""
    same_loss: ClassVar[frozenset[str]] = frozenset({"latent_dim"})
    """settings that leave the loss the same function of the latents, so that runs with different
    values can be compared by their losses"""
    weights: ClassVar[tuple[str, ...]] = ()
    """settings that only weigh terms in the loss, so that they can change while a run trains"""
    report: ClassVar[tuple[tuple[str, ...], ...]] = (("evaluation", "roc"), ("extremes",))
    """rows of the report, each a row of panels by their names in `reports/layouts.py`"""

    def term_weights(self, numbers: int) -> dict[str, float]:
        """Return the weight of each recorded term in the loss, in display order.

        A term of weight 0 is charted but does not count. `numbers` is how many values the
        network sees of an image: channels x height x width, or features.
        """
        return {}

    def summary(self) -> list[str]:
        """Describe the loss and what shapes it, in short phrases for the menu."""
        return [self.name.replace("_", " ")]

    def latent_summary(self) -> list[str]:
        """Describe what is special about the latents; often nothing."""
        return []

    def network_summary(self) -> list[str]:
        """Describe the network; nothing if the method has none."""
        return []

    def labels_needed(self) -> str:
        """Say what the method needs labels for, to follow "it"; empty if it needs none."""
        return "needs the class of each image" if self.supervised else ""

    def earlier_run(self) -> EarlierRun | None:
        """Return the earlier run that training needs; None if it needs none."""
        return None

    def without_effect(self) -> dict[str, str]:
        """Return settings without effect in combination with the others: why, and what to set."""
        return {}

    @classmethod
    def method_name(cls) -> str:
        """Return the name under which presets ask for this method."""
        name: str = get_args(cls.model_fields["name"].annotation)[0]
        return name


class NetworkSettings(MethodSettings):
    """Settings that all methods with a network share."""

    network: NetworkName = "small-conv"
    """architecture of the encoder: one of ours, or timm:NAME; inputs other than images always use
    `mlp`"""
    width: int = Field(16, ge=1, le=1024)
    """channels of the first convolution or the ResNet stem; an `mlp` has 16 times as many units"""
    hidden_dim: int = Field(256, ge=1, le=8192)
    """size of the representation before the latent layer"""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """share of hidden units dropped during training"""
    initial_weights: str = ""
    """what a timm network starts from: random weights if empty, `published` ones, or a file"""

    same_loss: ClassVar[frozenset[str]] = MethodSettings.same_loss | {
        *("network", "width", "hidden_dim", "dropout", "initial_weights")
    }

    def network_summary(self) -> list[str]:
        """Describe the encoder."""
        if self.network.startswith("timm:"):
            start = self.initial_weights and f", {Path(self.initial_weights).name} weights"
            return [f"{self.network}{start}"]
        return [f"{self.network}, width {self.width}"]


METHOD_SETTINGS: Registry[type[MethodSettings]] = Registry("method")
"""a preset's `method.name` -> the class of its settings"""


def register(settings: Spec) -> Spec:
    """Make a method known to presets, menus, reports and comparisons.

    PluginError when its name is taken, or it does not say what it is called and trained by.
    """
    known: type[MethodSettings] = settings
    name = known.model_fields["name"].annotation
    if get_origin(name) is not Literal or not isinstance(get_args(name)[0], str):
        raise PluginError(f'{settings.__name__} needs a name: write name: Literal["my_method"]')
    if not settings.trained_by:
        raise PluginError(
            f"{settings.__name__} does not say which class trains it: write "
            'trained_by: ClassVar = ":MyMethod"'
        )
    METHOD_SETTINGS.add(settings.method_name(), settings)
    return settings


def parse_method(value: Any) -> Any:
    """Turn a `[method]` table into the settings of the method that it names."""
    if isinstance(value, MethodSettings):
        return value
    if not isinstance(value, Mapping):
        raise PydanticCustomError("table_type", "Input should be a table")
    if "name" not in value:
        raise PydanticKnownError("union_tag_not_found", {"discriminator": "'name'"})
    name = value["name"]
    if not isinstance(name, str) or name not in METHOD_SETTINGS:
        known = ", ".join(f"'{known}'" for known in METHOD_SETTINGS)
        context = {"discriminator": "'name'", "tag": str(name), "expected_tags": known}
        raise PydanticKnownError("union_tag_invalid", context)
    return METHOD_SETTINGS[name].model_validate(value)


def method_class(preset: Mapping[str, Any]) -> type[MethodSettings] | None:
    """Return the class of the settings that a preset's table names; None if it is not known."""
    method = preset.get("method")
    name = method.get("name") if isinstance(method, Mapping) else None
    return METHOD_SETTINGS.get(name) if isinstance(name, str) else None


def method_settings(preset: Mapping[str, Any]) -> MethodSettings | None:
    """Return the method's settings of a preset's table; None if this version cannot read them."""
    known = method_class(preset)
    try:
        return known.model_validate(preset["method"]) if known else None
    except ValidationError:
        return None
