"""Views of features: noise of the strength that is set, and features left out as dropout does."""

from __future__ import annotations

import torch

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.features import augmented_features


def views(seed: int = 0, **settings: float) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(2000, 100, generator=torch.Generator().manual_seed(9))
    chosen = AugmentSettings.model_validate(settings)
    return x, augmented_features(x, chosen, torch.Generator().manual_seed(seed))


def test_noise_has_its_standard_deviation_and_is_drawn_anew() -> None:
    x, view = views(feature_noise=0.3)
    noise = view - x
    assert abs(float(noise.std()) - 0.3) < 0.005 and abs(float(noise.mean())) < 0.005
    assert not torch.equal(view, views(seed=1, feature_noise=0.3)[1])
    assert torch.equal(view, views(seed=0, feature_noise=0.3)[1])


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    x, view = views(feature_dropout=0.25)
    left_out = view == 0
    assert abs(float(left_out.float().mean()) - 0.25) < 0.005
    torch.testing.assert_close(view[~left_out], x[~left_out] / 0.75)
    shares = left_out.float().mean(0)
    assert float(shares.min()) > 0.2 and float(shares.max()) < 0.3, "each feature alike"


def test_without_strength_nothing_is_drawn() -> None:
    x, view = views()
    assert view is not None and torch.equal(view, x)
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    augmented_features(x, AugmentSettings(noise=0.5, flip=0.5), generator)
    assert torch.equal(generator.get_state(), before)
