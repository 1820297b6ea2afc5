"""Fetching by name what runs need and do not have: datasets and pretrained weights."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.errors import DataError
from tui_latent.datasets.paths import data_folder
from tui_latent.datasets.pretrained_weights import PRETRAINED
from tui_latent.datasets.registry import PUBLIC_DATASETS


def fetch(name: str, log: Callable[[str], None]) -> Path:
    """Fetch a public dataset or a pretrained network's weights; return where they are.

    DataError when there is nothing of that name, or it cannot be fetched.
    """
    if name in PRETRAINED:
        from tui_latent.datasets.features import fetched_weights

        settings = DataSettings.model_validate({"source": "digits", "inputs": name})
        return fetched_weights(settings, log)
    known = [name for name, dataset in PUBLIC_DATASETS.items() if dataset.training_files]
    if name not in known:
        close = difflib.get_close_matches(name, [*known, *PRETRAINED], n=1)
        hint = f"; nearest is '{close[0]}'" if close else ""
        raise DataError(f"nothing called '{name}'{hint}: {', '.join([*known, *PRETRAINED])}")
    from tui_latent.datasets.public_readers import fetch_public

    fetch_public(name, log)
    return data_folder()
