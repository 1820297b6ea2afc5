"""The network of a preset as it is before training, to compare trained ones with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn

from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method

_CHUNK: Final = 256


@torch.inference_mode()
def untrained_method(
    preset: Preset, dataset: Dataset, rows: Tensor, on_chunk: Callable[[], None] = lambda: None
) -> Method:
    """Return the method of a preset with the weights that its seed gives, in evaluation mode.

    Its batch norms have the statistics of some training images: `rows` of them, int64 (N,). With
    those that a network is built with, its latents would say less than the pixels.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(preset.train.seed)
        method = METHODS[preset.method.name](preset.method, dataset.input_shape)
        for stage in preset.training_stages():
            method.start_stage(stage)
        for module in method.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.momentum = None  # the mean of all batches, rather than of the last ones
        method.train()
        for some in rows.split(_CHUNK):  # type: ignore[no-untyped-call]
            if len(some) > 1:
                method.layers(dataset.inputs(dataset.train, some))
            on_chunk()
    return method.eval()
