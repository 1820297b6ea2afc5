"""Neighbours that were kept of a step, and what is refused in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tui_latent.runs.kept_neighbours import neighbours_file, read_neighbours, write_neighbours
from tui_latent.runs.schema import RunError


def test_neighbours_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "latents").mkdir()
    rows = np.array([[0, 2], [1, 0], [2, 1]])
    assert read_neighbours(tmp_path, 7, 3) is None
    write_neighbours(tmp_path, 7, rows)
    found = read_neighbours(tmp_path, 7, 3)
    assert found is not None and found.dtype == np.int64 and np.array_equal(found, rows)
    with pytest.raises(RunError, match="does not have the neighbours of 4 images"):
        read_neighbours(tmp_path, 7, 4)
    write_neighbours(tmp_path, 7, rows + 5)
    with pytest.raises(RunError, match="does not have the neighbours"):
        read_neighbours(tmp_path, 7, 3)
    neighbours_file(tmp_path, 7).write_bytes(b"broken")
    with pytest.raises(RunError, match="cannot be read"):
        read_neighbours(tmp_path, 7, 3)
