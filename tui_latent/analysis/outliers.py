"""The outliers a user chooses: a dataset, a folder of images, or a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tui_latent.analysis.evaluation_errors import OutliersError
from tui_latent.runtime.near_names import near_names
from tui_latent.sources import public_datasets

Kind = Literal["dataset", "folder", "arrays", "manifest", "class"]

_SHORT: Final = {"fashion": "fashion-mnist", "cifar": "cifar10"}
_WITH_NAME: Final[dict[str, Kind]] = {
    "folder": "folder",
    "arrays": "arrays",
    "manifest": "manifest",
    "class": "class",
}


@dataclass(frozen=True)
class Outliers:
    """Images that the network was not trained on."""

    kind: Kind
    name: str
    """the dataset, the folder's or the file's path, or the class"""

    @property
    def words(self) -> str:
        """Their name in tables."""
        return self.name if self.kind == "dataset" else f"{self.kind} {self.name}"


def parse_outliers(text: str) -> Outliers:
    """Parse the name of outliers; OutliersError lists the valid ones."""
    before, colon, name = text.partition(":")
    if colon and before in _WITH_NAME and name:
        return Outliers(_WITH_NAME[before], name)
    dataset = _SHORT.get(text, text)
    if dataset in public_datasets():
        return Outliers("dataset", dataset)
    close = near_names(text, public_datasets())
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    known = ", ".join(public_datasets())
    raise OutliersError(
        f"outliers: no dataset '{text}'{hint}: use one of {known}, "
        "or folder:PATH, arrays:FILE.npz, manifest:TABLE, class:NAME"
    )
