"""t-SNE as a process: `python -m tui_latent.analysis.tsne_process LATENTS.npy POINTS.npy`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def main(latents_file: str, points_file: str) -> None:
    """Embed float (N, D) latents in the plane; print progress, write float (N, 2)."""
    from sklearn.manifold import TSNE

    latents = np.load(latents_file)
    perplexity = min(30.0, (len(latents) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=0, verbose=2)
    np.save(Path(points_file), tsne.fit_transform(latents))


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main(*sys.argv[1:])
