"""Encoders, decoders and projectors, for images of any size and for feature vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tui_latent.config.feature_models import timm_network
from tui_latent.config.methods import NetworkSettings
from tui_latent.config.networks import NETWORKS
from tui_latent.methods.losses import in_full_precision
from tui_latent.plugins.reference import find

Activation = Callable[[], nn.Module]
_RELU: Activation = partial(nn.ReLU, inplace=True)
"""In place, which saves a pass over memory: no layer before it needs its output for gradients."""
LOGVAR_BOUND = 8.0
"""log-variances stay within ±8, so that neither a Gaussian's width nor its precision overflows"""


class Encoder(nn.Module):
    """Images (N, C, H, W) or features (N, D) to latents: `body`, then `latent`, a linear layer."""

    def __init__(
        self,
        settings: NetworkSettings,
        input_shape: Sequence[int],
        outputs: int,
        activation: Activation = _RELU,
    ) -> None:
        super().__init__()
        width, hidden = settings.width, settings.hidden_dim
        build = network_builder("mlp" if len(input_shape) == 1 else settings.network)
        trunk, features = build(input_shape, width, activation)
        self.body = nn.Sequential(
            trunk, *_dense(features, hidden, activation), nn.Dropout(settings.dropout)
        )
        self.latent: nn.Module = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs) float32."""
        return self.project(self.body(x))

    @in_full_precision
    def project(self, h: Tensor) -> Tensor:
        """Return the latent layer of (N, hidden_dim) representations, float32.

        bfloat16 keeps three digits: a map in it would be a grid.
        """
        latent: Tensor = self.latent(h)
        return latent


def network_builder(name: str) -> Callable[..., tuple[nn.Module, int]]:
    """Return the function that builds an architecture: see `config/networks.py`."""
    if model := timm_network(name):
        from tui_latent.datasets.timm_models import timm_trunk

        return lambda shape, width, activation: timm_trunk(model, shape)
    build: Any = NETWORKS[name].build
    if isinstance(build, str):
        build = find(build, __name__)
    built: Callable[..., tuple[nn.Module, int]] = build
    return built


def latent_head(wide: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return `hidden` units with batch norm and ReLU, then a linear layer of `outputs`."""
    return nn.Sequential(*_dense(wide, hidden, _RELU), nn.Linear(hidden, outputs))


class Decoder(nn.Module):
    """Latents (N, latent_dim) to images (N, C, H, W) in 0..1, or to features (N, D), unbounded."""

    def __init__(
        self,
        settings: NetworkSettings,
        output_shape: Sequence[int],
        activation: Activation = _RELU,
    ) -> None:
        super().__init__()
        width, hidden = settings.width, settings.hidden_dim
        head = (*_dense(settings.latent_dim, hidden, activation), nn.Dropout(settings.dropout))
        if len(output_shape) == 1 or settings.network == "mlp":
            trunk: tuple[nn.Module, ...] = (
                *_dense(hidden, 16 * width, activation),
                nn.Linear(16 * width, prod(output_shape)),
                nn.Unflatten(1, tuple(output_shape)),
            )
        else:
            trunk = _small_conv_transpose(hidden, output_shape, width, activation)
        self.layers = nn.Sequential(*head, *trunk)
        self.bounded = len(output_shape) > 1

    def forward(self, z: Tensor) -> Tensor:
        """Return float32 images or features."""
        x_hat: Tensor = self.layers(z).float()
        return x_hat.sigmoid() if self.bounded else x_hat


def projector(widths: Sequence[int]) -> nn.Sequential:
    """Return linear layers from widths[0] to widths[-1], batch norm and ReLU between.

    One width projects nothing.
    """
    if len(widths) < 2:
        return nn.Sequential()
    *hidden, last = widths
    layers = [layer for pair in pairwise(hidden) for layer in _dense(*pair, _RELU)]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], last, bias=False))


def gaussian(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return mu and logvar, (N, D) each, of a latent layer's (N, 2D) outputs."""
    mu, raw = outputs.chunk(2, dim=1)
    return mu, LOGVAR_BOUND * torch.tanh(raw / LOGVAR_BOUND)


def sample(mu: Tensor, logvar: Tensor) -> Tensor:
    """Sample each Gaussian with torch's global generator; gradients reach mu and logvar."""
    return mu + torch.randn_like(mu) * (logvar / 2).exp()


def _dense(wide: int, narrow: int, activation: Activation) -> tuple[nn.Module, ...]:
    return nn.Linear(wide, narrow, bias=False), nn.BatchNorm1d(narrow), activation()


def _conv(wide: int, narrow: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(wide, narrow, kernel, stride, padding=kernel // 2, bias=False)


def mlp(shape: Sequence[int], width: int, activation: Activation) -> tuple[nn.Module, int]:
    """Return two dense layers of 16 times `width` units."""
    hidden = 16 * width
    layers = (*_dense(prod(shape), hidden, activation), *_dense(hidden, hidden, activation))
    return nn.Sequential(nn.Flatten(), *layers), hidden


class _PixelsToFeatures(nn.Module):
    """(N, C, H, W) to (N, H*W*C), pixel by pixel: a channels_last map is not copied either way.

    With `nn.Flatten` the gradient has the other layout, and a step takes 1.06 times as long.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class _FeaturesToPixels(nn.Module):
    """(N, H*W*C) back to a channels_last map (N, C, H, W)."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.channels, *size = shape
        self.size = tuple(size)

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), *self.size, self.channels).permute(0, 3, 1, 2)


class _Level(NamedTuple):
    """One convolution of the small network, which its decoder runs backwards."""

    wide: int
    narrow: int
    kernel: int
    stride: int
    before: tuple[int, int]
    """height and width going in"""
    after: tuple[int, int]


def _levels(shape: Sequence[int], width: int) -> list[_Level]:
    """Return three convolutions, or as many as it takes to bring the longer side to 8.

    Each halves its map, except the first one for images of 12 pixels or fewer, and doubles its
    channels, to 8 times `width` at most.
    """
    wide, *size = shape
    before = (size[0], size[1])
    levels: list[_Level] = []
    while len(levels) < 3 or max(before) > 8:
        first = not levels
        narrow = width * min(2 ** len(levels), 8)
        stride = 1 if first and min(before) <= 12 else 2
        after = ((before[0] - 1) // stride + 1, (before[1] - 1) // stride + 1)
        levels.append(_Level(wide, narrow, 5 if first else 3, stride, before, after))
        wide, before = narrow, after
    return levels


def small_conv(
    shape: Sequence[int], width: int, activation: Activation
) -> tuple[nn.Sequential, int]:
    """Return convolutions that halve the image until its longer side is 8 or less."""
    layers: list[nn.Module] = []
    for level in (levels := _levels(shape, width)):
        layers += [
            _conv(level.wide, level.narrow, level.kernel, level.stride),
            nn.BatchNorm2d(level.narrow),
            activation(),
        ]
    return nn.Sequential(*layers, _PixelsToFeatures()), levels[-1].narrow * prod(levels[-1].after)


def _small_conv_transpose(
    hidden: int, shape: Sequence[int], width: int, activation: Activation
) -> tuple[nn.Module, ...]:
    """Return the mirrored small convolutional network, up to the exact size of the image."""
    levels = _levels(shape, width)
    smallest = (levels[-1].narrow, *levels[-1].after)
    layers: list[nn.Module] = [
        *_dense(hidden, prod(smallest), activation),
        _FeaturesToPixels(smallest),
    ]
    for level in reversed(levels):
        layers.append(_transposed(level, bias=level is levels[0]))
        if level is not levels[0]:
            layers += [nn.BatchNorm2d(level.wide), activation()]
    return tuple(layers)


def _transposed(level: _Level, bias: bool) -> nn.ConvTranspose2d:
    # Two sizes halve to one; the output padding says which of them to go back to.
    height, width = (
        before - 1 - level.stride * (after - 1)
        for before, after in zip(level.before, level.after, strict=True)
    )
    return nn.ConvTranspose2d(
        level.narrow,
        level.wide,
        level.kernel,
        level.stride,
        padding=level.kernel // 2,
        output_padding=(height, width),
        bias=bias,
    )


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015, arXiv:1512.03385)."""

    def __init__(self, wide: int, narrow: int, stride: int, activation: Activation) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            _conv(wide, narrow, 3, stride),
            nn.BatchNorm2d(narrow),
            activation(),
            _conv(narrow, narrow, 3, 1),
            nn.BatchNorm2d(narrow),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or wide != narrow:
            self.shortcut = nn.Sequential(_conv(wide, narrow, 1, stride), nn.BatchNorm2d(narrow))
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(self.convolutions(x) + self.shortcut(x))
        return y


def resnet18(shape: Sequence[int], width: int, activation: Activation) -> tuple[nn.Sequential, int]:
    """Return ResNet-18 for small images: a 3x3 stem of stride 1 and no max-pooling."""
    layers: list[nn.Module] = [_conv(shape[0], width, 3, 1), nn.BatchNorm2d(width), activation()]
    wide = width
    for stage in range(4):
        narrow = width * 2**stage
        layers.append(_ResidualBlock(wide, narrow, 1 if stage == 0 else 2, activation))
        layers.append(_ResidualBlock(narrow, narrow, 1, activation))
        wide = narrow
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network, wide
