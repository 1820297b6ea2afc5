"""Trains a preset file on images without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from benchmarks.speedrun.images import Images
from benchmarks.speedrun.worker import Encode
from tui_latent.config.presets import load_preset
from tui_latent.datasets.image_set import Dataset, ImageSet, in_chunks
from tui_latent.datasets.sources import channel_statistics
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.sources.files.raw import UNLABELLED
from tui_latent.training.device import choose_device, limit_threads
from tui_latent.training.loop import TrainingLoop

_CHUNK = 1000
"""images embedded at a time"""


def trained(images: Images, preset: Path, seed: int, device: str, layer: str) -> Encode:
    """Train `preset` on images, uint8 (N, 3, 32, 32); return the encoder of one of its layers.

    `layer` is "backbone", whose features are scaled to length 1, or "latents". The images have no
    labels, and so nothing can read one.
    """
    keep_freed_memory()
    limit_threads()
    loop = TrainingLoop(
        load_preset(str(preset), {"train.seed": seed}), _unlabelled(images), choose_device(device)
    )
    while loop.done < loop.total_steps:
        loop.step()
    loop.close()
    loop.method.eval()
    wide = layer == "backbone"

    def encode(seen: Images) -> NDArray[np.float32]:
        parts = []
        with torch.inference_mode():
            for chunk in torch.split(torch.from_numpy(seen), _CHUNK):
                x = loop.dataset.of_stored(chunk.to(loop.device))
                with loop.autocast():
                    found = loop.method.layers(x)["backbone"] if wide else loop.method.embed(x)
                parts.append((normalize(found.float()) if wide else found.float()).cpu())
        return torch.cat(parts).numpy()

    return encode


def _unlabelled(images: Images) -> Dataset:
    """Return a dataset whose images have no classes; its held-out split is never used."""
    labels = torch.full((len(images),), UNLABELLED)
    split = ImageSet(torch.from_numpy(images), labels, (), None, labels)
    mean, std = channel_statistics(in_chunks(split, 256))
    return Dataset("speedrun", split, split, mean, std, "nothing")
