"""A run's images, latents and model, asked from screens and reports: without torch until then."""

from tui_latent.inspection.errors import InspectionError
from tui_latent.inspection.images import preset_augmentations
from tui_latent.inspection.inspector import Neighbours, RunInspector
from tui_latent.inspection.source import RunSource

__all__ = [
    "InspectionError",
    "Neighbours",
    "RunInspector",
    "RunSource",
    "preset_augmentations",
]
