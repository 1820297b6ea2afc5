from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from tui_latent.datasets.row_file import RowFile, row_file

Look = Callable[[NDArray[Any]], NDArray[Any]]
LOOKS: dict[str, Look] = {
    "whole": lambda x: x,
    "channels last": lambda x: np.moveaxis(x, -1, 1),
    "one channel": lambda x: x[:, :1],
    "a channel of its own": lambda x: x[:, None],
    "some rows": lambda x: x[7:90],
    "every second row": lambda x: x[1::2],
}


def stored(path: Path, shape: tuple[int, ...], dtype: str) -> np.memmap[Any, Any]:
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    np.save(path, values)
    found = np.load(path, mmap_mode="r")
    assert isinstance(found, np.memmap)
    return found


def opened(array: NDArray[Any]) -> RowFile:
    found = row_file(array)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("look", LOOKS, ids=list(LOOKS))
def test_rows_of_every_layout_are_those_of_the_array(tmp_path: Path, look: str, dtype: str) -> None:
    array = LOOKS[look](stored(tmp_path / "x.npy", (100, 5, 6, 7), dtype))
    file = opened(array)
    random = np.random.default_rng(1)
    for rows in (
        np.arange(len(array)),
        random.permutation(len(array)),
        random.integers(0, len(array), 300),  # some of them several times
        np.array([len(array) - 1]),
        np.empty(0, np.int64),
    ):
        np.testing.assert_array_equal(file.read(rows), array[rows])
        out = np.empty((len(rows), *array.shape[1:]), array.dtype)
        assert file.read(rows, out) is out
        np.testing.assert_array_equal(out, array[rows])


def test_more_rows_than_one_call_can_take(tmp_path: Path) -> None:
    array = stored(tmp_path / "x.npy", (5000, 1, 2, 3), "uint8")
    np.testing.assert_array_equal(opened(array).read(np.arange(5000)), array)


def test_a_file_system_that_answers_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = stored(tmp_path / "x.npy", (50, 1, 9, 9), "uint8")

    def in_sevens(file: int, parts: list[memoryview], offset: int) -> int:
        got = os.pread(file, min(7, len(parts[0])), offset)
        parts[0][: len(got)] = got
        return len(got)

    monkeypatch.setattr(os, "preadv", in_sevens)
    np.testing.assert_array_equal(opened(array).read(np.arange(50)), array)


def test_a_file_that_is_cut_short_is_an_error_and_not_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    file = opened(stored(path, (100, 1, 8, 8), "uint8"))
    os.truncate(path, 1000)
    with pytest.raises(OSError, match="shorter") as caught:
        file.read(np.arange(100))
    assert caught.value.filename == str(path)
    with pytest.raises(OSError, match="too short"):
        RowFile(str(path), (1, 8, 8), np.dtype("uint8"), 100, 128, 64, (64, 8, 1), 64)


def test_what_is_no_file_of_rows_is_not_taken_for_one(tmp_path: Path) -> None:
    assert row_file(np.zeros((3, 1, 2, 2), np.uint8)) is None
    columns = np.asfortranarray(np.zeros((100, 1, 8, 8), np.uint8))
    np.save(tmp_path / "x.npy", columns)
    assert row_file(np.load(tmp_path / "x.npy", mmap_mode="r")) is None


def test_files_are_closed_when_nobody_reads_them(tmp_path: Path) -> None:
    array = stored(tmp_path / "x.npy", (10, 1, 2, 2), "uint8")

    def held() -> int:
        files = psutil.Process().open_files()
        return sum(each.path == str(tmp_path / "x.npy") for each in files)

    before = held()
    file = opened(array)
    assert held() == before + 1
    del file
    assert held() == before


def test_rows_that_were_written_anew_are_not_taken_for_those_before(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    array = stored(path, (100, 1, 4, 4), "uint8")
    rows, before = opened(array), path.stat().st_mtime_ns
    assert np.array_equal(rows.read(np.array([3])), array[3:4])
    with path.open("r+b") as file:  # the same file and size, as numpy.save leaves it
        file.seek(-1000, os.SEEK_END)
        file.write(bytes(1000))
    os.utime(path, ns=(before, before + 1_000_000))
    with pytest.raises(OSError, match="changed while it was used") as caught:
        rows.read(np.array([3]))
    assert caught.value.filename == str(path)
    assert len(opened(np.load(path, mmap_mode="r")).read(np.array([3]))) == 1
