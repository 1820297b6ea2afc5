"""Images of a run that are read where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.pictures import of_split
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.sources import load_dataset
from tui_latent.runtime import array_files


def test_an_array_that_is_written_anew_is_not_shown_for_the_old_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_files, "MAPPED_FROM", 1)
    monkeypatch.setattr("tui_latent.datasets.sources.MAPPED_FROM", 1)
    path = tmp_path / "x.npy"
    np.save(path, np.full((40, 8, 8), 10, np.uint8))
    settings = DataSettings.model_validate({"source": "arrays", "path": str(path)})
    pictures = of_split(load_dataset(settings, 0).val)
    assert (pictures.images(np.arange(3)) == 10).all()
    np.save(path, np.full((50, 8, 8), 90, np.uint8))
    with pytest.raises(InspectionError, match=r"x\.npy: the file has changed .*: open the run"):
        pictures.images(np.arange(3))
