"""Rows and ids of opened vectors are read back as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tui_latent.runs.row_ids import ROWS_FILE, RowIds, read_row_ids, write_row_ids
from tui_latent.runs.schema import RunError


def test_ids_of_any_letters_are_kept(tmp_path: Path) -> None:
    ids = ("a", "", "日本", "x\ny", "é" * 300)
    val = RowIds(np.array([3, 1, 4, 5, 9]), ids)
    write_row_ids(tmp_path, {"val": val, "train": RowIds(np.arange(2), ())})
    found = read_row_ids(tmp_path)
    assert found["val"].ids == ids and found["val"].rows.tolist() == [3, 1, 4, 5, 9]
    assert found["train"].ids == () and found["train"].name(1) == "row 1"
    assert found["val"].name(2) == "日本" and "\n" not in found["val"].name(3)


def test_other_runs_have_none_and_damage_is_named(tmp_path: Path) -> None:
    assert read_row_ids(tmp_path) == {}
    (tmp_path / ROWS_FILE).write_bytes(b"no archive")
    with pytest.raises(RunError, match=r"rows\.npz: cannot be read"):
        read_row_ids(tmp_path)
