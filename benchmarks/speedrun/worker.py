"""The process that the clock measures: it reads images, trains an entry and writes latents.

python -m benchmarks.speedrun.worker DIVISION ENTRY SEED DEVICE FOLDER
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speedrun.divisions import DIVISIONS
from benchmarks.speedrun.images import Images, read_images

Encode = Callable[[Images], NDArray[np.float32]]
"""from images, uint8 (N, 3, 32, 32), to latents, float32 (N, D)"""


def load_entry(file: Path) -> Callable[..., Encode]:
    """Return the function `train` of an entry's file."""
    spec = importlib.util.spec_from_file_location("speedrun_entry", file)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    train: Callable[..., Encode] = module.train
    return train


def main() -> None:
    """Train, then read the test images, and write the latents of both splits."""
    name, file, seed, device, folder = sys.argv[1:]
    division = DIVISIONS[name]
    images = read_images(division, "train")
    encode = load_entry(Path(file))(images, seed=int(seed), device=device)
    for split in ("train", "test"):
        seen = images if split == "train" else read_images(division, split)
        np.save(Path(folder) / f"{split}.npy", np.asarray(encode(seen), np.float32))


if __name__ == "__main__":
    main()
