"""Descriptions of the architectures of encoders, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticKnownError

from tui_latent.config.feature_models import timm_network
from tui_latent.plugins.registry import Registry, our_own


@dataclass(frozen=True, kw_only=True)
class Network:
    """An architecture that `method.network` can name."""

    name: str
    build: str | Callable[[Sequence[int], int, Callable[[], Any]], tuple[Any, int]]
    """a function, or `module:name` of one whose module needs torch. It is called with the input
    shape (C, H, W), the width and a function that makes an activation layer, and returns a module
    from (N, C, H, W) to (N, features), and the number of features."""


NETWORKS: Registry[Network] = Registry("network")
"""a preset's `method.network` -> its description"""


def register(network: Network) -> Network:
    """Make an architecture known to presets and forms; PluginError when its name is taken."""
    NETWORKS.add(network.name, network)
    return network


def known_network(name: str) -> str:
    """Return the name of a network; an error of pydantic if there is none of this name.

    Whether timm has one is known where it is installed: see `datasets/model_names.py`.
    """
    if timm_network(name) is None and name not in NETWORKS:
        known = " or ".join(f"'{network}'" for network in (*NETWORKS, "timm:NAME"))
        raise PydanticKnownError("literal_error", {"expected": known})
    return name


NetworkName = Annotated[str, AfterValidator(known_network)]

with our_own():
    for _name in ("small-conv", "mlp", "resnet18"):
        _function = _name.replace("-", "_")
        register(Network(name=_name, build=f"tui_latent.methods.networks:{_function}"))
