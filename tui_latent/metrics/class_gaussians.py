"""Sampling latents of a class from a Gaussian, and classifying them by LDA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A normal distribution in a latent space."""

    mean: Tensor
    """float64 (D,)"""
    covariance: Tensor
    """float64 (D, D)"""


def fit_gaussian(latents: Tensor) -> Gaussian:
    """Return the maximum likelihood Gaussian of latents (N, D): its covariance divides by N.

    ValueError without latents.
    """
    if not len(latents):
        raise ValueError("a Gaussian needs at least one latent")
    wide = latents.detach().double()
    mean = wide.mean(0)
    centred = wide - mean
    return Gaussian(mean, centred.T @ centred / len(wide))


def sample_gaussian(gaussian: Gaussian, count: int, generator: torch.Generator) -> Tensor:
    """Draw latents, float32 (count, D), with a generator of the Gaussian's device.

    By eigenvectors, because the covariance of few latents is singular.
    """
    values, vectors = torch.linalg.eigh(gaussian.covariance)
    normal = torch.randn(
        (count, len(values)), generator=generator, dtype=torch.float64, device=values.device
    )
    drawn: Tensor = gaussian.mean + normal * values.clamp(min=0).sqrt() @ vectors.T
    return drawn.float()


def class_samples(
    bank: Tensor, bank_labels: Tensor, label: int, count: int, generator: torch.Generator
) -> Tensor:
    """Draw latents, float32 (count, D), of the Gaussian of one class's training latents.

    `bank` is float (N, D), `bank_labels` int64 (N,); ValueError when the class has no images.
    """
    return sample_gaussian(fit_gaussian(bank[bank_labels == label]), count, generator)


def lda_classifier(bank: Tensor, bank_labels: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a classifier of latents (M, D) by linear discriminant analysis.

    `bank` is float (N, D), `bank_labels` int64 (N,); the answers are int64 (M,). Fitted by
    scikit-learn on the CPU. Where the bank says nothing of the spread within its classes, the
    nearest class mean decides, which is the same analysis with an equal spread in all directions.
    """
    wide, labels = bank.detach().double().cpu(), bank_labels.cpu()
    present, of_each = torch.unique(labels, return_inverse=True)
    means = torch.stack([wide[labels == label].mean(0) for label in present])
    spread = (wide - means[of_each]).abs().max()
    if len(present) == 1 or len(wide) <= len(present) or spread <= 1e-9 * wide.abs().max():
        return lambda latents: present[
            torch.cdist(latents.detach().double().cpu(), means).argmin(1)
        ]
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    lda = LinearDiscriminantAnalysis().fit(wide.numpy(), labels.numpy())
    return lambda latents: torch.from_numpy(lda.predict(latents.detach().double().cpu().numpy()))
