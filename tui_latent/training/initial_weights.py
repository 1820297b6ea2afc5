"""The weights that a timm encoder starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tui_latent.config.feature_models import timm_network
from tui_latent.config.settings import Preset
from tui_latent.datasets.pretrained_weights import fetched
from tui_latent.methods.method import Method


def initial_weights(preset: Preset, log: Callable[[str], None]) -> Path | None:
    """Return the file with the weights that a new run starts from; None for random ones.

    Published weights are downloaded if they are missing. DataError says why they cannot be.
    """
    model = timm_network(str(getattr(preset.method, "network", "")))
    start = str(getattr(preset.method, "initial_weights", ""))
    if model is None or not start or preset.data.inputs != "raw":
        return None
    file = "" if start == "published" else start
    otherwise = "name a file with method.initial_weights"
    return fetched(model, file, log, "method.network", otherwise)


def load_initial_weights(method: Method, weights: Path) -> None:
    """Load a file into every timm network that a method has.

    DataError if it does not hold the network's weights.
    """
    from tui_latent.datasets.timm_models import TimmTrunk

    for module in method.modules():
        if isinstance(module, TimmTrunk):
            module.load(weights)
