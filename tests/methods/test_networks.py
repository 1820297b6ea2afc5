"""Encoders and decoders: sizes, gradients, and ResNet-18 against torchvision's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.methods.toys import TINY
from tui_latent.config.methods import NetworkSettings
from tui_latent.methods.networks import (
    LOGVAR_BOUND,
    Decoder,
    Encoder,
    gaussian,
    projector,
    sample,
)


def network(name: str, latent_dim: int = 2, dropout: float = 0.0) -> NetworkSettings:
    return NetworkSettings.model_validate(
        {**TINY, "name": "any", "latent_dim": latent_dim, "network": name, "dropout": dropout}
    )


SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 31, 17), (3, 96, 64), (20,)]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["small-conv", "mlp", "resnet18"])
def test_images_of_any_size_go_through_and_come_back(name: str, shape: tuple[int, ...]) -> None:
    x = torch.rand(3, *shape)
    z = Encoder(network(name, 5), shape, 5)(x)
    x_hat = Decoder(network(name, 5), shape)(z)
    assert z.shape == (3, 5)
    assert x_hat.shape == x.shape
    if len(shape) > 1:
        far = Decoder(network(name, 5), shape).eval()(1e3 * z)
        assert far.min() >= 0 and far.max() <= 1


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3]))
def test_small_conv_mirrors_every_size(height: int, width: int, channels: int) -> None:
    shape = (channels, height, width)
    x = torch.rand(2, *shape)
    z = Encoder(network("small-conv"), shape, 2)(x)
    assert Decoder(network("small-conv"), shape)(z).shape == x.shape


def test_a_large_image_does_not_make_a_large_dense_layer() -> None:
    encoder = Encoder(network("small-conv"), (3, 256, 256), 2)
    assert sum(parameter.numel() for parameter in encoder.parameters()) < 100_000


def test_features_are_decoded_without_a_bound() -> None:
    decoder = Decoder(network("small-conv"), (6,)).eval()
    features = decoder(100 * torch.randn(50, 2))
    assert features.min() < 0 and features.max() > 1


@pytest.mark.slow
def test_resnet18_has_torchvisions_blocks() -> None:
    torchvision = pytest.importorskip("torchvision")
    reference = torchvision.models.resnet18(num_classes=7)
    reference.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    reference.maxpool = nn.Identity()
    reference.fc = nn.Identity()
    settings = NetworkSettings(name="any", latent_dim=2, network="resnet18", width=64)
    trunk = Encoder(settings, (3, 32, 32), 2).body[0]
    assert isinstance(trunk, nn.Module)
    # Weights come in the same order: a block's shortcut last.
    with torch.no_grad():
        for one, other in zip(reference.parameters(), trunk.parameters(), strict=True):
            other.copy_(one)
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(trunk.eval()(x), reference.eval()(x), rtol=1e-3, atol=1e-4)


def test_dropout_drops_only_while_training() -> None:
    torch.manual_seed(0)
    encoder, x = Encoder(network("mlp", dropout=0.5), (1, 8, 8), 2), torch.rand(4, 1, 8, 8)
    encoder(x)
    assert not torch.equal(encoder(x), encoder(x))
    encoder.eval()
    assert torch.equal(encoder(x), encoder(x))


def test_projector_widths() -> None:
    layers = [layer for layer in projector((8, 16, 32, 4)) if isinstance(layer, nn.Linear)]
    assert [layer.weight.shape for layer in layers] == [(16, 8), (32, 16), (4, 32)]
    assert projector((8, 4))(torch.rand(3, 8)).shape == (3, 4)
    unchanged = torch.rand(3, 8)
    assert torch.equal(projector((8,))(unchanged), unchanged)


@pytest.mark.parametrize("raw", [0.0, 2.0, -1e6, 1e6])
def test_log_variances_stay_finite_and_small_ones_untouched(raw: float) -> None:
    mu, logvar = gaussian(torch.full((3, 4), raw))
    assert mu.shape == logvar.shape == (3, 2)
    assert torch.equal(mu, torch.full((3, 2), raw))
    assert logvar.abs().max() <= LOGVAR_BOUND
    if abs(raw) <= 2:
        assert logvar.mean().item() == pytest.approx(raw, rel=0.03)


def test_samples_have_the_mean_and_the_deviation_asked_for() -> None:
    torch.manual_seed(0)
    mu, logvar = torch.tensor([3.0, -2.0]), torch.tensor([0.25, 4.0]).log()
    z = sample(mu.expand(40_000, 2), logvar.expand(40_000, 2))
    torch.testing.assert_close(z.mean(0), mu, rtol=0, atol=0.05)
    torch.testing.assert_close(z.std(0), torch.tensor([0.5, 2.0]), rtol=0.02, atol=0)


@pytest.mark.parametrize("name", ["small-conv", "mlp", "resnet18"])
def test_every_weight_gets_a_gradient(name: str) -> None:
    shape = (1, 8, 8)
    encoder, decoder = Encoder(network(name), shape, 2), Decoder(network(name), shape)
    x = torch.rand(8, *shape)
    decoder(encoder(x)).sub(x).square().mean().backward()
    for one in (encoder, decoder):
        for label, parameter in one.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, label
