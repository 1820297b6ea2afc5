"""Fetching by name what runs need and do not have: datasets and pretrained weights."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.paths import data_folder
from tui_latent.datasets.pretrained_weights import PRETRAINED
from tui_latent.sources import public_datasets
from tui_latent.sources.errors import DataError


def fetch(name: str, log: Callable[[str], None]) -> Path:
    """Fetch a public dataset or a pretrained network's weights; return where they are.

    DataError when there is nothing of that name, or it cannot be fetched.
    """
    if name in PRETRAINED:
        from tui_latent.datasets.features import fetched_weights

        settings = DataSettings.model_validate({"source": "digits", "inputs": name})
        return fetched_weights(settings, log)
    datasets = {n: dataset for n, dataset in public_datasets().items() if dataset.training_files}
    known = [*datasets, *PRETRAINED]
    if name not in datasets:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; nearest is '{close[0]}'" if close else ""
        raise DataError(f"nothing called '{name}'{hint}: {', '.join(known)}")
    from tui_latent.datasets.public import fetch_public

    fetch_public(datasets[name], log)
    return data_folder()
