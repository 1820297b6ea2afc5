"""Laplacian eigenmaps against scikit-learn, and images outside the fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.manifold import SpectralEmbedding
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

from tui_latent.config.methods.eigenmaps import EigenmapsSettings
from tui_latent.methods.eigenmaps import Eigenmaps, nearest_rows


def digits() -> torch.Tensor:
    return torch.from_numpy(load_digits().images[:, None] / 16).float()


def fitted(x: torch.Tensor, latent_dim: int = 2, neighbours: int = 10) -> Eigenmaps:
    settings = EigenmapsSettings(name="eigenmaps", latent_dim=latent_dim, neighbours=neighbours)
    method = Eigenmaps(settings, tuple(x.shape[1:]))
    method.fit(x)
    return method


def test_eigenmaps_equal_scikit_learns_up_to_scale_and_sign() -> None:
    x = digits()[:600]
    pixels = x.flatten(1).numpy()
    directed = kneighbors_graph(pixels, 10)
    graph = (directed + directed.T).toarray() / 2
    expected = SpectralEmbedding(3, affinity="precomputed", random_state=0).fit_transform(graph)
    found = fitted(x, 3).latents.numpy()
    for d in range(3):
        correlation = np.corrcoef(found[:, d], expected[:, d])[0, 1]
        assert abs(correlation) == pytest.approx(1, abs=1e-4)


def test_two_fits_are_the_same_and_scaled() -> None:
    x = digits()[:300]
    one, two = fitted(x), fitted(x.clone())
    assert torch.equal(one.latents, two.latents)
    torch.testing.assert_close(one.latents.std(0, correction=0), torch.ones(2))
    rows = one.latents.abs().argmax(0)
    assert (one.latents[rows, [0, 1]] > 0).all()


def test_training_images_keep_their_latents() -> None:
    x = digits()[:300]
    method = fitted(x)
    torch.testing.assert_close(method.embed(x), method.latents, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(method.embed(x[7:8]), method.latents[7:8], rtol=1e-4, atol=1e-4)


def test_other_images_lie_between_their_nearest() -> None:
    x, labels = digits(), load_digits().target
    method = fitted(x[:1200], 5)
    z = method.embed(x[1200:])
    nearest = NearestNeighbors(n_neighbors=10).fit(x[:1200].flatten(1).numpy())
    distances, rows = nearest.kneighbors(x[1200:].flatten(1).numpy())
    weights = 1 / distances**2
    weights /= weights.sum(1, keepdims=True)
    expected = (weights[:, :, None] * method.latents.numpy()[rows]).sum(1)
    # Grey levels are kept as halves, so distances differ in their fourth digit.
    assert np.abs(z.numpy() - expected).max() < 0.02
    votes = labels[:1200][nearest_rows(z, method.latents, 5).numpy()]
    found = np.array([np.bincount(row).argmax() for row in votes])
    assert (found == labels[1200:]).mean() > 0.85


def test_separate_clusters_are_joined_instead_of_taking_a_dimension_each() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = 100 * torch.arange(6.0)[:, None].expand(6, 4)
    x = (centres[:, None] + torch.randn(6, 12, 4, generator=generator)).reshape(72, 4)
    z = fitted(x, 2, neighbours=3).latents.reshape(6, 12, 2)
    assert torch.isfinite(z).all()
    # Along the chain of clusters the first dimension only rises or only falls.
    steps = z.mean(1)[:, 0].diff()
    assert (steps > 0).all() or (steps < 0).all()


def test_a_graph_in_hundreds_of_pieces_is_joined() -> None:
    method = fitted(digits()[:800], 2, neighbours=1)
    assert torch.isfinite(method.latents).all()
    # A piece of its own would be two values on the map: one for it, one for all others.
    assert len(torch.unique(method.latents[:, 0])) > 400


def test_copies_of_an_image_do_no_harm() -> None:
    x = digits()[:60].repeat_interleave(20, 0)
    method = fitted(x, 2, neighbours=5)
    assert torch.isfinite(method.latents).all()
    assert torch.isfinite(method.embed(x)).all()


def test_more_neighbours_than_images_use_all_there_are() -> None:
    x = digits()[:12]
    method = fitted(x, 2, neighbours=500)
    assert method.embed(digits()[12:15]).shape == (3, 2)


def test_too_few_images_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="at least 4 training images"):
        fitted(digits()[:3])


@pytest.mark.slow
@pytest.mark.parametrize("latent_dim", [1, 2, 3, 128])
def test_any_width(latent_dim: int) -> None:
    method = fitted(digits()[:200], latent_dim)
    z = method.embed(digits()[200:210])
    assert z.shape == (10, latent_dim) and z.dtype is torch.float32


def test_a_saved_fit_embeds_as_before() -> None:
    method = fitted(digits()[:200])
    copy = Eigenmaps(method.settings, (1, 8, 8))
    copy.load_state_dict(method.state_dict())
    x = digits()[200:250]
    assert torch.equal(copy.embed(x), method.embed(x))


def test_nearest_rows_are_the_nearest_even_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr("tui_latent.methods.eigenmaps.CELLS", 7 * 50)
    distances = torch.cdist(bank, bank).fill_diagonal_(torch.inf)
    own = torch.arange(50)
    expected = distances.argsort(1)[:, :4]
    assert torch.equal(nearest_rows(bank, bank, 4, (own, own)), expected)
