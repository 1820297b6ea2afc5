"""Class samples against numpy's Gaussian and scikit-learn's LDA."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tests.trained_runs import store, stored
from tui_latent.analysis.decoding import RunDecoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.sampling import ClassSampler
from tui_latent.sources.errors import DataError

Trained = Callable[[str], Path]


def reference_lda(run: Path) -> LinearDiscriminantAnalysis:
    tensors = stored(run)
    bank = tensors["bank_latents"].double().numpy()
    return LinearDiscriminantAnalysis().fit(bank, tensors["bank_labels"].numpy())


def test_samples_have_their_classs_mean_and_covariance(trained: Trained) -> None:
    tensors = stored(trained("autoencoder"))
    own = tensors["bank_latents"][tensors["bank_labels"] == 6].double().numpy()
    found = ClassSampler(RunData(trained("autoencoder"))).sample(6, 20_000, seed=1)
    assert found.training_images == 40
    np.testing.assert_allclose(found.latents.mean(axis=0), own.mean(axis=0), atol=0.01)
    covariance = np.cov(own.T, bias=True)
    np.testing.assert_allclose(
        np.cov(found.latents.T), covariance, atol=0.05 * np.abs(covariance).max()
    )


def test_the_verdicts_are_those_of_scikit_learn(trained: Trained) -> None:
    source = RunData(trained("autoencoder"))
    found = ClassSampler(source).sample(2, 128, seed=0)
    lda = reference_lda(source.path)
    assert found.called.tolist() == lda.predict(found.latents.astype(np.float64)).tolist()
    assert found.agreeing == list(found.called).count(2) > 30
    assert np.array_equal(found.images, RunDecoder(source).decode(found.latents))
    dataset, method = source.dataset(), source.model().method
    pixels = torch.tensor(found.images.transpose(0, 3, 1, 2) / 255, dtype=torch.float32)
    with torch.inference_mode():
        again = method.embed((pixels - dataset.mean) / dataset.std).double().numpy()
    assert found.recognised is not None
    assert np.mean(found.recognised == lda.predict(again)) > 0.99


def test_a_seed_repeats_its_draw(trained: Trained) -> None:
    sampler = ClassSampler(RunData(trained("autoencoder")))
    first = sampler.sample(2, 8, seed=0)
    assert np.array_equal(first.latents, sampler.sample(2, 8, seed=0).latents)
    assert not np.array_equal(first.latents, sampler.sample(2, 8, seed=1).latents)


def test_without_images_samples_are_still_drawn_and_classified(
    trained: Trained, no_digits: None
) -> None:
    found = ClassSampler(RunData(trained("autoencoder"))).sample(2, 8, seed=0)
    assert found.images.shape == (8, 8, 8, 1) and len(found.called) == 8
    assert found.recognised is None and "digits are not in /data" in found.why_not
    assert found.class_names == tuple("0123456789")


def test_lost_images_are_looked_for_once(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []

    def download(*settings: object) -> None:
        looked.append(settings)
        raise DataError("no network")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", download)
    sampler = ClassSampler(RunData(trained("autoencoder")))
    assert [sampler.sample(label, 4, seed=0).why_not for label in range(3)] == ["no network"] * 3
    assert len(looked) == 1


def test_two_images_of_one_class_are_a_line_and_all_samples_agree(trained: Trained) -> None:
    found = ClassSampler(RunData(trained("two-images"))).sample(0, 50, seed=0)
    assert found.agreeing == 50 and found.training_images == 2 and found.class_names == ("3",)
    ends = stored(trained("two-images"))["bank_latents"].double().numpy()
    along = ends[1] - ends[0]
    off = found.latents - ends.mean(axis=0)
    across = off[:, 0] * along[1] - off[:, 1] * along[0]
    assert np.abs(across).max() < 1e-4 * np.linalg.norm(along)


def test_latents_that_are_all_equal_are_sampled_as_one_point(
    trained: Trained, tmp_path: Path
) -> None:
    run = shutil.copytree(trained("autoencoder"), tmp_path / "equal")
    store(run, bank_latents=torch.full((400, 7), 0.25))
    found = ClassSampler(RunData(run)).sample(4, 20, seed=0)
    np.testing.assert_allclose(found.latents, 0.25)
    assert found.agreeing == 0, "nothing tells the classes apart: the first one is named"


def test_a_class_that_is_not_there_and_a_method_without_a_decoder(trained: Trained) -> None:
    with pytest.raises(InspectionError, match="class 11 has no training image"):
        ClassSampler(RunData(trained("autoencoder"))).sample(11, 4, seed=0)
    with pytest.raises(InspectionError, match="contrastive has no decoder"):
        ClassSampler(RunData(trained("contrastive"))).sample(0, 4, seed=0)
