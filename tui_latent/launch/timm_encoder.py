"""Whether a timm encoder is available here, and the file it starts from; without torch."""

from __future__ import annotations

from tui_latent.config.feature_models import timm_network
from tui_latent.config.methods import MethodSettings
from tui_latent.config.preset_files import names_a_file
from tui_latent.config.settings import Preset
from tui_latent.datasets.model_names import why_unknown


def network_problems(preset: Preset) -> list[tuple[str, str]]:
    """Return the settings of an encoder that cannot be used, each with what is wrong."""
    model = timm_network(str(getattr(preset.method, "network", "")))
    if model is None or preset.data.inputs != "raw":
        return []
    problems = []
    if why := why_unknown(model):
        problems.append(("method.network", why))
    if (file := initial_file(preset.method)) and not names_a_file(file):
        problem = f"there is no file at '{file}': name one, or write 'published'"
        problems.append(("method.initial_weights", problem))
    return problems


def initial_file(method: MethodSettings) -> str:
    """Return the file that a timm network starts from; empty if it starts from none."""
    name = str(getattr(method, "initial_weights", ""))
    return "" if name == "published" else name
