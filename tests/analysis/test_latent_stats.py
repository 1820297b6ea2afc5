"""The reach of latents, against numpy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trained_runs import store, stored
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.latent_stats import latent_ranges
from tui_latent.analysis.run_data import RunData

Trained = Callable[[str], Path]


@pytest.fixture
def own(trained: Trained, tmp_path: Path) -> Path:
    """Return a copy of the autoencoder's run, to change."""
    return shutil.copytree(trained("autoencoder"), tmp_path / "own")


def test_ranges_and_class_means_are_numpys(trained: Trained, no_digits: None) -> None:
    tensors = stored(trained("autoencoder"))
    bank = tensors["bank_latents"].double().numpy()
    labels = tensors["bank_labels"].numpy()
    found = latent_ranges(RunData(trained("autoencoder")))
    ordered = np.sort(bank, axis=0)
    assert np.all((ordered[3] <= found.low) & (found.low <= ordered[4]))  # 1 % of 400 images
    assert np.all((ordered[-5] <= found.high) & (found.high <= ordered[-4]))
    np.testing.assert_allclose(found.mean, bank.mean(axis=0))
    np.testing.assert_allclose(found.std, bank.std(axis=0))
    np.testing.assert_allclose(found.class_means[4], bank[labels == 4].mean(axis=0))
    assert found.class_names == tuple("0123456789")


def test_a_class_without_training_images_has_no_mean(own: Path) -> None:
    store(own, bank_labels=torch.zeros_like(stored(own)["bank_labels"]))
    found = latent_ranges(RunData(own))
    assert np.isfinite(found.class_means[0]).all() and np.isnan(found.class_means[1:]).all()


def test_latents_that_are_all_equal_have_a_range_of_one_point(own: Path) -> None:
    store(own, bank_latents=torch.full((400, 7), 0.25))
    found = latent_ranges(RunData(own))
    assert (found.low == 0.25).all() and (found.high == 0.25).all() and not found.std.any()


def test_latents_that_are_not_finite_are_counted(own: Path) -> None:
    bank = stored(own)["bank_latents"]
    bank[3, 1] = torch.nan
    store(own, bank_latents=bank)
    with pytest.raises(InspectionError, match="1 of 400 latents are not finite"):
        latent_ranges(RunData(own))


def test_without_a_map_classes_are_numbered(own: Path) -> None:
    for file in (own / "latents").glob("step-*.npz"):
        file.unlink()
    assert latent_ranges(RunData(own)).class_names == tuple("0123456789")
