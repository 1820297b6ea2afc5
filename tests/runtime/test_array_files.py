"""Headers that claim more than their file holds are refused before memory is asked for."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tui_latent.runs.curve_cache import read_curve_cache
from tui_latent.runs.maps import MapError, read_map
from tui_latent.runtime import array_files
from tui_latent.runtime.array_files import (
    check_archive,
    check_stored,
    opened_archive,
    read_array,
    read_tensors,
)
from tui_latent.runtime.limits import Memory
from tui_latent.runtime.regular_files import SizeError, amount, read_small
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.array_file import load_arrays, look_at_arrays

TERA = 10**12


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def npy(shape: tuple[int, ...], data: bytes = b"", dtype: str = "<f4") -> bytes:
    """Return an array's file whose header says `shape`, whatever data follows."""
    file = io.BytesIO()
    header = {"shape": shape, "fortran_order": False, "descr": dtype}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


def archive(path: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as written:
        for name, content in members.items():
            written.writestr(f"{name}.npy", content)
    return path


def with_claimed_size(path: Path, size: int) -> Path:
    """Have an archive's directory claim another size for its first member."""
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


def hostile_archives(folder: Path) -> dict[str, Path]:
    zeros = npy((300_000_000,), dtype="|u1") + b"\0" * 300_000_000
    names = ("points", "x_train", "about")
    return {
        "a shape": archive(folder / "a.npz", {name: npy((TERA,), b"\0" * 99) for name in names}),
        "a size": with_claimed_size(
            archive(folder / "b.npz", {name: npy((9,), b"\0" * 36) for name in names}), 2**32 - 2
        ),
        "a bomb": archive(folder / "c.npz", {"points": zeros}, zipfile.ZIP_DEFLATED),
    }


@pytest.mark.parametrize("what", ["a shape", "a size", "a bomb"])
def test_an_archive_that_claims_too_much_is_refused(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hostile_archives(tmp_path)[what]
    monkeypatch.setattr(array_files, "memory", lambda: Memory(TERA, 200_000_000))
    with little_memory():
        with pytest.raises(SizeError), opened_archive(path, 1 << 27):
            pass
        with pytest.raises(MapError, match=r"damaged: (points|about|x_train)"):
            read_map(path, 1)
        assert read_curve_cache(path) is None
        for read in (load_arrays, look_at_arrays):
            with pytest.raises(
                DataError, match=f"{path.name}: .*( save it again|no array x_train)"
            ):
                read(path)


def test_an_archive_that_is_larger_than_the_free_memory_says_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, x_train=np.zeros((50, 40, 40), np.uint8), y_train=np.arange(50) % 2)
    assert len(load_arrays(path).train.images) == 50
    monkeypatch.setattr(array_files, "memory", lambda: Memory(TERA, 60_000))
    with pytest.raises(
        DataError, match=r"x_train takes 80\.1 KB of memory, but only 60\.0 KB is free"
    ):
        load_arrays(path)


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "empty": np.zeros((0, 3)), "one": np.array(3), "text": np.array(["é", "b"]),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "many": np.zeros(100_000),
    }  # fmt: skip
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        check_archive(tmp_path / "a.npz")
        with opened_archive(tmp_path / "a.npz") as read:
            assert all(np.array_equal(read[name], array) for name, array in arrays.items())
    np.save(tmp_path / "a.npy", arrays["columns"])
    assert np.array_equal(read_array(tmp_path / "a.npy"), arrays["columns"])


def test_members_that_overlap_or_are_encrypted_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", {name: npy((2000,), b"\0" * 8000) for name in "ab"})
    content = path.read_bytes()
    first = content.index(b"PK\x01\x02")
    entry = content[first : content.index(b"PK\x01\x02", first + 1)]
    end = content.index(b"PK\x05\x06")
    many = bytearray(content[end:])
    many[8:12] = struct.pack("<HH", 50, 50)
    many[12:16] = struct.pack("<I", 50 * len(entry))
    path.write_bytes(content[:first] + entry * 50 + many)
    with pytest.raises(SizeError, match="overlap"):
        check_archive(path)
    locked = bytearray(content)
    locked[first + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(ValueError, match="unknown way"):
        check_archive(path)


def test_an_array_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for shape in ((TERA,), (TERA, TERA), (-1, 5)):
        path.write_bytes(npy(shape, b"\0" * 100))
        with little_memory(), pytest.raises(ValueError, match="claims the shape"):
            read_array(path)


def tensors_file(path: Path, header: bytes, data: bytes = b"", length: int | None = None) -> Path:
    size = len(header) if length is None else length
    path.write_bytes(size.to_bytes(8, "little") + header + data)
    return path


def test_tensors_that_claim_too_much_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    entry = {"dtype": "F32", "shape": [TERA // 4], "data_offsets": [0, TERA]}
    claims = {
        "claims 1.0 TB": (json.dumps({"bank_latents": entry}).encode(), None),
        "header claims to take 1.0 TB": (b"{}", TERA),
        "cannot be read": (b'{"a": 5}', None),
    }
    for words, (header, length) in claims.items():
        with little_memory(), pytest.raises(ValueError, match=words):
            read_tensors(tensors_file(path, header, b"\0" * 64, length))
    with path.open("wb") as file:
        file.truncate(5 * 10**9)
    with little_memory(), pytest.raises(SizeError):
        read_tensors(path)


def test_a_torch_file_with_packed_or_oversized_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "step-000000001.pt"
    torch.save({"step": 1, "weights": torch.zeros(100)}, path)
    check_stored(path)
    with_claimed_size(path, 2**32 - 2)
    with pytest.raises(SizeError, match=r"claims 4\.3 GB"):
        check_stored(path)
    archive(path, {"data": b"\0" * 1_000_000}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="unknown way"):
        check_stored(path)


def test_a_small_file_of_five_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "preset.toml"
    with path.open("wb") as file:
        file.truncate(5 * 10**9)
    with (
        little_memory(),
        pytest.raises(SizeError, match=r"it has 5\.0 GB, but at most 4\.2 MB is allowed"),
    ):
        read_small(path)
    path.write_bytes(b"a" * 100)
    assert read_small(path, 100) == b"a" * 100
    with pytest.raises(SizeError):
        read_small(path, 99)


def test_amounts_are_written_for_people() -> None:
    assert [amount(n) for n in (0, 999, 1500, 2.5e9, 8e12, 123e15)] == [
        "0 bytes", "999 bytes", "1.5 KB", "2.5 GB", "8.0 TB", "123,000 TB",
    ]  # fmt: skip
