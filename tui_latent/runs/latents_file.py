"""`latents/last.safetensors`: the latents of the newest evaluation, at full width."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file

LATENTS_FILE: Final = "latents/last.safetensors"
UNLABELLED: Final = -1
"""label of an image without a class, in maps and latents"""


def latent_dimensions(run: Path) -> int | None:
    """Return the dimensions of a run's newest latents; None without any that can be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(run / LATENTS_FILE, "np") as file:
            return int(file.get_slice("query_latents").get_shape()[1])
    except (OSError, SafetensorError, IndexError):
        return None


def write_latents(
    file: Path,
    step: int,
    queries: NDArray[Any],
    query_labels: NDArray[np.int64],
    bank: NDArray[Any] | None = None,
    bank_labels: NDArray[np.int64] | None = None,
) -> None:
    """Replace a file of latents: (M, D) held-out ones, and (N, D) of the training images.

    A run's own is `run / LATENTS_FILE`. Without a bank, neighbours are looked for among the
    held-out latents themselves. Labels are UNLABELLED where there is no class. OSError while the
    disk refuses it.
    """
    from safetensors.numpy import save

    tensors = {"query_latents": queries, "query_labels": query_labels}
    if bank is not None and bank_labels is not None:
        tensors |= {"bank_latents": bank, "bank_labels": bank_labels}
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    file.parent.mkdir(exist_ok=True)
    replace_file(file, save(contiguous, metadata={"step": str(step)}))
