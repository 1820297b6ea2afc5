"""Neighbours in an earlier run's latent space, as the second view of an image."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from tui_latent.config.settings import Preset
from tui_latent.datasets.identity import DataIdentity, changes
from tui_latent.datasets.image_set import Dataset
from tui_latent.metrics.nearest_neighbours import nearest
from tui_latent.runs.manifest import PRESET_FILE
from tui_latent.runs.run_list import find_run
from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import read_tensors
from tui_latent.trained_on import read_trained_on


def earlier_neighbours(
    preset: Preset, runs: Path, dataset: Dataset, images: DataIdentity | None = None
) -> Tensor | None:
    """Return each training image's nearest others, int64 (N, k); None for other kinds of views.

    The image itself is one more, (N, k + 1), where the preset lets it be drawn. `images` says
    which images the dataset was made of.
    RunError when the earlier run is missing, has no latents, or saw other images.
    """
    earlier = preset.method.earlier_run()
    if earlier is None:
        return None
    run = _find_moved_run(runs, earlier.run)
    path = run / "latents" / "last.safetensors"
    if not path.is_file():
        raise RunError(f"{run.name} has no latents yet: let it reach an evaluation first")
    trained_on = read_trained_on(run)
    if trained_on and images and (change := changes(trained_on.identity, images)):
        raise RunError(
            f"{run.name} was trained on other images, so its neighbours cannot be used here: "
            f"{change}: train it again, and use the same [data] in both"
        )
    try:
        bank = load(read_tensors(path)[0])["bank_latents"].to(dataset.train.device)
    except (OSError, ValueError, SafetensorError, KeyError) as error:
        raise RunError(
            f"{path}: cannot read its latents ({error}): resume {run.name} up to its next "
            "evaluation, which writes them again"
        ) from error
    if len(bank) != len(dataset.train):
        raise RunError(
            f"{run.name} was trained on {len(bank):,} images, and this preset has "
            f"{len(dataset.train):,}: use the same [data] in both"
        )
    _, rows = nearest(bank, bank, earlier.neighbours + 1)
    own = torch.arange(len(bank), device=rows.device)[:, None]
    # An image is not always its own first neighbour, because exact copies may come before it:
    # sort it behind the others.
    others = rows.gather(1, (rows == own).int().argsort(dim=1, stable=True))[:, :-1]
    return torch.cat([own, others], dim=1) if earlier.itself else others.contiguous()


def _find_moved_run(runs: Path, named: str) -> Path:
    """Return the run of a name or path; where the folder of runs was moved, the one moved along."""
    beside = runs / Path(named).name
    if not Path(named).is_dir() and (beside / PRESET_FILE).is_file():
        return beside
    return find_run(runs, named)
