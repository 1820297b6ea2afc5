"""Which presets train on views, and which on the images as they are."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tui_latent.analysis.augmented import no_augmentation
from tui_latent.config.preset_files import preset_names
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.augmentations.pipeline import augment

METHOD = {"name": "contrastive", "latent_dim": 2}


def preset(**tables: Any) -> Preset:
    return Preset.model_validate({"data": {"source": "digits"}, "method": METHOD} | tables)


def changes(settings: Preset) -> bool:
    """Return whether a view differs from its image, by drawing many."""
    images = torch.rand(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    drawn = augment(images, settings.augment, torch.Generator().manual_seed(1))
    return not torch.allclose(drawn, images, atol=1e-6)


@pytest.mark.parametrize(
    "augmented",
    [
        {}, {"elastic_grid": 8}, {"jitter": 0.5}, {"brightness": 0.5},
        {"rotate": 10}, {"noise": 0.1}, {"jitter": 0.5, "brightness": 0.5},
    ],
)  # fmt: skip
def test_it_says_what_drawing_views_shows(augmented: dict[str, float]) -> None:
    found = preset(augment=augmented)
    assert bool(no_augmentation(found)) is not changes(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", preset_names())
def test_bundled_presets_agree_with_what_they_draw(name: str) -> None:
    found = load_preset(name)
    if found.data.inputs == "raw" and not found.method.fitted:
        assert bool(no_augmentation(found)) is not changes(found)


def test_features_and_fitted_methods_see_the_images_as_they_are() -> None:
    features = {"source": "digits", "inputs": "hog"}
    assert "hog features" in no_augmentation(preset(data=features, augment={"rotate": 10}))
