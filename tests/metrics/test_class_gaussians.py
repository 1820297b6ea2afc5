"""Samples of a class against numpy's estimates, and their classes against scikit-learn's LDA."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tui_latent.metrics.class_gaussians import (
    Gaussian,
    class_samples,
    fit_gaussian,
    lda_classifier,
    sample_gaussian,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def three_classes() -> tuple[torch.Tensor, torch.Tensor]:
    """Return 3-D latents around three corners, of different shapes."""
    labels = torch.arange(600) % 3
    shape = torch.tensor([[1.0, 0.8, 0.0], [0.0, 0.5, 0.1], [0.0, 0.0, 0.7]])
    latents = torch.randn(600, 3, generator=seeded()) @ shape
    return latents + 6 * torch.eye(3)[labels], labels


def test_the_fit_is_the_mean_and_the_covariance_over_n() -> None:
    latents, _ = three_classes()
    fitted = fit_gaussian(latents)
    wide = latents.double().numpy()
    np.testing.assert_allclose(fitted.mean.numpy(), wide.mean(axis=0))
    np.testing.assert_allclose(fitted.covariance.numpy(), np.cov(wide.T, bias=True))


def test_samples_have_the_mean_and_the_covariance_they_were_drawn_with() -> None:
    covariance = torch.tensor([[2.0, 0.9], [0.9, 0.5]], dtype=torch.float64)
    gaussian = Gaussian(torch.tensor([3.0, -1.0], dtype=torch.float64), covariance)
    drawn = sample_gaussian(gaussian, 40_000, seeded())
    assert drawn.dtype == torch.float32
    np.testing.assert_allclose(drawn.mean(0).numpy(), [3, -1], atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.numpy().T), covariance.numpy(), atol=0.05)
    assert drawn.equal(sample_gaussian(gaussian, 40_000, seeded()))
    assert not drawn.equal(sample_gaussian(gaussian, 40_000, seeded(1)))


def test_a_class_that_lies_on_a_line_is_sampled_on_it() -> None:
    along = torch.linspace(-1, 1, 5)[:, None]
    drawn = class_samples(
        torch.cat(
            [along * torch.tensor([1.0, 2.0, 0.0]), torch.randn(5, 3, generator=seeded()) + 50]
        ),
        torch.tensor([1] * 5 + [0] * 5),
        label=1,
        count=50,
        generator=seeded(),
    )
    np.testing.assert_allclose(drawn[:, 1].numpy(), 2 * drawn[:, 0].numpy(), atol=1e-5)
    np.testing.assert_allclose(drawn[:, 2].numpy(), 0, atol=1e-6)
    assert float(drawn[:, 0].std()) > 0.3


def test_a_class_without_images_is_refused() -> None:
    latents, labels = three_classes()
    with pytest.raises(ValueError, match="at least one"):
        class_samples(latents, labels, 7, 10, seeded())


def test_the_counts_are_those_of_scikit_learns_lda() -> None:
    latents, labels = three_classes()
    asked = torch.randn(200, 3, generator=seeded(2)) * 4
    reference = LinearDiscriminantAnalysis().fit(latents.double().numpy(), labels.numpy())
    expected = np.bincount(reference.predict(asked.double().numpy()), minlength=4)
    assert (
        torch.bincount(lda_classifier(latents, labels)(asked), minlength=4).tolist()
        == expected.tolist()
    )


def test_samples_of_classes_far_apart_are_called_by_their_class() -> None:
    latents, labels = three_classes()
    drawn = class_samples(latents, labels, 2, 128, seeded())
    assert torch.bincount(lda_classifier(latents, labels)(drawn), minlength=3).tolist() == [
        0,
        0,
        128,
    ]


def test_where_no_spread_is_known_the_nearest_class_mean_decides() -> None:
    bank = torch.tensor([[0.0, 0.0], [0.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    classify = lda_classifier(bank, torch.tensor([5, 5, 2, 2]))
    assert classify(torch.tensor([[1.9, 7.0], [2.1, 7.0]])).tolist() == [5, 2]
    two = lda_classifier(bank[[0, 2]], torch.tensor([0, 1]))
    assert two(torch.tensor([[3.0, 0.0]])).tolist() == [1]
    alone = lda_classifier(torch.randn(9, 2, generator=seeded()), torch.full((9,), 3))
    assert alone(torch.randn(4, 2, generator=seeded())).tolist() == [3] * 4
