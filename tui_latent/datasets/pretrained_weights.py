"""The files with the weights of the pretrained networks, without torch."""

from __future__ import annotations

from pathlib import Path

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.paths import data_folder, refuse_download
from tui_latent.sources.errors import DataError

PRETRAINED = {"resnet18": "resnet18-f37072fd.pth", "resnet50": "resnet50-0676ba61.pth"}
"""torchvision's IMAGENET1K_V1 files; the name ends with the first digits of the SHA-256"""


def weights_file(settings: DataSettings) -> Path:
    """Return the file with the weights of a network, which may have to be downloaded first.

    DataError if it is missing and may not be downloaded.
    """
    if settings.weights:
        path = Path(settings.weights).expanduser()
        if not path.is_file():
            raise DataError(f"data.weights: no file {path}")
        return path
    name = PRETRAINED[settings.inputs]
    ours = data_folder() / "weights" / name
    torchs = Path.home() / ".cache" / "torch" / "hub" / "checkpoints" / name
    for path in (ours, torchs):
        if path.is_file():
            return path
    refuse_download(
        f"data.inputs: the weights of {settings.inputs} are missing: there is neither {ours} nor "
        f"{torchs}",
        settings.inputs,
        "or name the file with data.weights",
    )
    return ours
