"""Download datasets and pretrained weights by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from tui_latent.config.feature_models import PREFIXES
from tui_latent.config.preset_files import nearest
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.paths import data_folder
from tui_latent.datasets.pretrained_weights import PRETRAINED, fetched_weights
from tui_latent.sources import public_datasets
from tui_latent.sources.errors import DataError


def fetch(name: str, log: Callable[[str], None]) -> Path:
    """Download a public dataset or the weights of a pretrained network; return their path.

    DataError if the name is unknown, there is nothing to download, or the download fails.
    """
    if name in PRETRAINED or name.startswith(PREFIXES):
        try:
            settings = DataSettings.model_validate({"source": "digits", "inputs": name})
        except ValidationError as error:
            raise DataError(str(error.errors()[0]["ctx"]["error"])) from error
        return fetched_weights(settings, log)
    public = public_datasets()
    if name in public and (package := public[name].bundled_with):
        raise DataError(f"{name} comes with {package}: there is nothing to download")
    datasets = {n: dataset for n, dataset in public.items() if dataset.training_files}
    known = [*datasets, *PRETRAINED]
    if name not in datasets:
        raise DataError(f"no dataset or network is called '{name}'{nearest(name, known)}")
    from tui_latent.datasets.public import fetch_public

    fetch_public(datasets[name], log)
    return data_folder()
