"""Files with the weights of published networks: found, or downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tui_latent.config.feature_models import FILE_SETTINGS, PublishedModel, published_model
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.download import download
from tui_latent.datasets.hub_files import HubFile
from tui_latent.datasets.paths import data_folder, refuse_download
from tui_latent.sources.errors import DataError

PRETRAINED: Final = {
    "resnet18": "resnet18-f37072fd.pth",
    "resnet50": "resnet50-0676ba61.pth",
}
"""torchvision's IMAGENET1K_V1 files; the name ends with the first digits of the SHA-256"""


def fetched_weights(settings: DataSettings, log: Callable[[str], None]) -> Path:
    """Return the file with the weights of the network that `data.inputs` names.

    It is downloaded if it is missing. DataError says what is missing, and what to do.
    """
    model = published_model(settings.inputs)
    assert model is not None
    return fetched(model, settings.weights, log, "data.inputs", "name the file with data.weights")


def fetched(
    model: PublishedModel, file: str, log: Callable[[str], None], setting: str, otherwise: str
) -> Path:
    """Return the file with a network's weights: `file`, if it names one, or what is published.

    `setting` is where the network is named, `otherwise` what helps where nothing can be downloaded.
    """
    if file or model.library == "torchvision":
        path = _known_place(model, file, setting, otherwise)
        if not path.is_file():
            url = f"https://download.pytorch.org/models/{path.name}"
            digits = path.stem.rpartition("-")[2]
            download([url], path, f"sha256:{digits}", log, f"the weights file of {model}")
        return path
    published = published_files(model, setting)
    missing = f"{setting}: the weights of {model} are not on this machine"
    return published.fetched(missing, otherwise, str(model), log)


def why_no_weights(settings: DataSettings) -> str:
    """Return why the weights are not available; empty if they are, or only a library would know."""
    model = published_model(settings.inputs)
    if model is None or not (settings.weights or model.library == "torchvision"):
        return ""
    try:
        _known_place(model, settings.weights, "data.inputs", "name the file with data.weights")
    except DataError as error:
        return str(error)
    return ""


def published_files(model: PublishedModel, setting: str) -> HubFile:
    """Return where the weights of a timm or open_clip network are published.

    DataError if the library is not installed, does not know the name, or publishes no weights.
    """
    if model.library == "timm":
        from tui_latent.datasets.timm_models import published
    else:
        from tui_latent.datasets.open_clip_models import published
    return published(model, setting)


def _known_place(model: PublishedModel, file: str, setting: str, otherwise: str) -> Path:
    """Return a named file, or that of torchvision's weights, which may have to be downloaded."""
    if file:
        path = Path(file).expanduser()
        if path.is_dir():
            raise DataError(
                f"{FILE_SETTINGS[setting]}: {path} is a folder: name the file with the weights, "
                "such as model.safetensors in it"
            )
        if not path.is_file():
            raise DataError(f"{FILE_SETTINGS[setting]}: no file {path}")
        return path
    name = PRETRAINED[model.name]
    ours = data_folder() / "weights" / name
    torchs = Path.home() / ".cache" / "torch" / "hub" / "checkpoints" / name
    for path in (ours, torchs):
        if path.is_file():
            return path
    refuse_download(
        f"{setting}: the weights of {model} are missing: there is neither {ours} nor {torchs}",
        str(model),
        otherwise,
    )
    return ours
