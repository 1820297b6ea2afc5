"""The preset small.toml; its latents are the backbone's features."""

from __future__ import annotations

from pathlib import Path

from benchmarks.speedrun.entries.from_preset import trained
from benchmarks.speedrun.images import Images
from benchmarks.speedrun.worker import Encode


def train(images: Images, *, seed: int, device: str) -> Encode:
    """Return the trained encoder."""
    return trained(images, Path(__file__).with_suffix(".toml"), seed, device, "backbone")
