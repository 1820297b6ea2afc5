"""Projections of wider latents, against scikit-learn; t-SNE in a real process of its own."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import trustworthiness

from tests.analysis.test_neighbourhoods import latent_map, made
from tui_latent.analysis import InspectionError
from tui_latent.analysis.neighbourhoods import Space
from tui_latent.analysis.projections import (
    CancelledError,
    Projection,
    ProjectionName,
    project,
    projection_names,
    turned,
)


def projected(name: ProjectionName, space: Space | None = None) -> Projection:
    return project(space or made(), name, lambda _: None, threading.Event())


def test_pca_is_scikit_learns_and_says_how_much_it_shows() -> None:
    space = made()
    pca = PCA(2).fit(space.points.numpy())
    found = projected("PCA")
    expected = pca.transform(space.points.numpy())
    np.testing.assert_allclose(np.abs(found.points), np.abs(expected), atol=1e-3)
    trust = trustworthiness(space.points.numpy(), expected)
    share = f"{100 * pca.explained_variance_ratio_.sum():.0f} %"
    assert found.faithful == f"{share} of the variance · trustworthiness {trust:.3f}"


def test_lda_is_fitted_to_the_bank_and_shows_the_held_out_images() -> None:
    space = made()
    lda = LinearDiscriminantAnalysis(n_components=2)
    lda.fit(space.bank.double().numpy(), space.bank_labels.numpy())
    expected = lda.transform(space.points.double().numpy())
    np.testing.assert_allclose(projected("LDA").points, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_tsne_runs_in_a_process_and_tells_how_far_it_is() -> None:
    told: list[str] = []
    found = project(made(), "t-SNE", told.append, threading.Event())
    assert found.points.shape == (120, 2) and np.isfinite(found.points).all()
    assert any("iteration 50 of 1,000" in words for words in told)
    assert "trustworthiness" in found.faithful


def test_tsne_can_be_given_up() -> None:
    space = made(dimensions=20, count=4000)
    cancelled = threading.Event()
    threading.Timer(1.5, cancelled.set).start()
    with pytest.raises(CancelledError):
        project(space, "t-SNE", lambda _: None, cancelled)


def test_rows_that_are_not_finite_are_nowhere() -> None:
    space = made()
    points = space.points.clone()
    points[5] = torch.nan
    broken = Space(space.map, points, space.bank, space.bank_labels)
    found = projected("PCA", broken)
    assert np.isnan(found.points[5]).all() and np.isfinite(np.delete(found.points, 5, 0)).all()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_latents_without_a_spread_are_refused_in_words(count: int) -> None:
    points = np.ones((count, 4), np.float32)
    labels = np.zeros(count, np.int64)
    bank = torch.from_numpy(points)
    space = Space(latent_map(points[:, :2], labels), bank, bank, torch.from_numpy(labels))
    with pytest.raises(InspectionError, match="at least three different latents"):
        projected("PCA", space)


def test_one_class_has_no_lda() -> None:
    space = made()
    one = Space(space.map, space.points, space.bank, torch.zeros(400, dtype=torch.int64))
    with pytest.raises(InspectionError, match="two classes"):
        projected("LDA", one)


def test_which_projections_there_are() -> None:
    assert projection_names(2, 10) == ("map",)
    assert "cloud" in projection_names(3, 10) and "LDA 3-D" in projection_names(7, 10)
    assert "LDA" not in projection_names(7, 2) and "LDA 3-D" not in projection_names(7, 3)


def test_a_cloud_turns_without_being_bent() -> None:
    cloud = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_allclose(turned(cloud, 0, 0), cloud[:, :2], atol=1e-6)
    quarter = turned(cloud, np.pi / 2, 0)
    np.testing.assert_allclose(quarter, cloud[:, [2, 1]], atol=1e-6)
    for yaw, pitch in ((0.3, 1.1), (2.0, -0.4)):
        seen = turned(cloud, yaw, pitch)
        lengths = np.linalg.norm(seen, axis=1)
        assert (lengths <= np.linalg.norm(cloud, axis=1) + 1e-5).all(), "a projection only shortens"
