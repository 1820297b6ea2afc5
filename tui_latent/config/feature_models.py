"""Names of published networks, as `data.inputs` and `method.network` write them; without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticKnownError

Library = Literal["torchvision", "timm", "open_clip"]

OWN_INPUTS: Final = ("raw", "hog", "resnet18", "resnet50")
"""inputs that need no optional package: pixels, HOG, and two networks of torchvision's"""
PREFIXES: Final = ("timm:", "open_clip:")
FILE_SETTINGS: Final = {"data.inputs": "data.weights", "method.network": "method.initial_weights"}
"""setting that names a network -> setting that names a file with its weights"""
_NAME: Final = re.compile(r"(timm|open_clip):([\w.-]+(?:/[\w.-]+)*)(?:@(\d{2,4}))?")
_EXAMPLES: Final = {"timm": "timm:resnet18.a1_in1k", "open_clip": "open_clip:ViT-B-32/openai"}


@dataclass(frozen=True)
class PublishedModel:
    """A network whose weights its library publishes."""

    library: Library
    name: str
    """as the library calls it; in timm it may end with the tag of its weights: resnet18.a1_in1k"""
    tag: str = ""
    """which weights of open_clip's, as in ViT-B-32/openai; empty where a file has them"""
    size: int = 0
    """side in pixels of the images that it is shown; 0 is the side that it was trained with"""

    @property
    def weights_name(self) -> str:
        """The name with its tag, without the library and the size."""
        return f"{self.name}/{self.tag}" if self.tag else self.name

    def __str__(self) -> str:
        if self.library == "torchvision":
            return self.name
        return f"{self.library}:{self.weights_name}{f'@{self.size}' if self.size else ''}"


def published_model(inputs: str) -> PublishedModel | None:
    """Return the network that a value of `data.inputs` names; None for pixels and HOG.

    ValueError if the value is written wrongly.
    """
    if inputs in ("raw", "hog"):
        return None
    if inputs in OWN_INPUTS:
        return PublishedModel("torchvision", inputs)
    library, _, rest = inputs.partition(":")
    if library not in _EXAMPLES:
        raise ValueError(f"there are no inputs '{inputs}'")
    found = _NAME.fullmatch(inputs)
    if found is None:
        what = "is not a name" if rest else "needs a name"
        raise ValueError(
            f"'{inputs}' {what}: write it as in {_EXAMPLES[library]}, with @224 at its end for "
            "images of 224 pixels"
        )
    name, size = found[2], int(found[3] or 0)
    if library == "timm":
        if "/" in name:
            raise ValueError(f"'{inputs}' is not a timm name: those have no '/'")
        return PublishedModel("timm", name, size=size)
    model, _, tag = name.rpartition("/")
    return PublishedModel("open_clip", (model or tag).replace("/", "-"), tag if model else "", size)


def timm_network(network: str) -> PublishedModel | None:
    """Return the timm network that `method.network` names; None for other networks."""
    if not network.startswith("timm:"):
        return None
    model = published_model(network)
    if model is not None and model.size:
        size = f"@{model.size}"
        raise ValueError(f"'{network}': an encoder sees images of data.size: leave out {size}")
    return model


def known_inputs(inputs: str) -> str:
    """Return a value of `data.inputs`; an error of pydantic's if it names none."""
    if inputs not in OWN_INPUTS and not inputs.startswith(PREFIXES):
        known = (*OWN_INPUTS, "timm:NAME", "open_clip:NAME/TAG")
        expected = " or ".join(f"'{name}'" for name in known)
        raise PydanticKnownError("literal_error", {"expected": expected})
    published_model(inputs)
    return inputs


InputsName = Annotated[str, AfterValidator(known_inputs)]
