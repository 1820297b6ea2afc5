"""Analyses of a run's images, latents and model; torch is imported on first use."""

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import preset_augmentations
from tui_latent.analysis.inspector import Neighbours, RunInspector
from tui_latent.analysis.run_data import RunData

__all__ = [
    "InspectionError",
    "Neighbours",
    "RunData",
    "RunInspector",
    "preset_augmentations",
]
