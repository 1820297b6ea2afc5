"""Every format gives the vectors that were saved, and the columns beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from tui_latent.opening import vectors
from tui_latent.opening.errors import OpenError
from tui_latent.opening.files import open_file

VECTORS = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
IDS = [f"image-{row}" for row in range(50)]
CLASSES = [["cat", "dog"][row % 2] for row in range(50)]


def npy(path: Path) -> None:
    np.save(path, VECTORS)


def npy_fortran(path: Path) -> None:
    np.save(path, np.asfortranarray(VECTORS))


def npy_big_endian(path: Path) -> None:
    np.save(path, VECTORS.astype(">f8"))


def npz(path: Path) -> None:
    np.savez(path, embeddings=VECTORS, id=np.array(IDS), label=np.array(CLASSES))


def npz_packed(path: Path) -> None:
    np.savez_compressed(path, x=np.asfortranarray(VECTORS), id=np.array(IDS), label=CLASSES)


def tensors(path: Path) -> None:
    safetensors.numpy.save_file({"vectors": VECTORS, "label": np.arange(50) % 2}, path)


def parquet(path: Path, column: Any = None) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rows = VECTORS.tolist() if column is None else column
    table = pa.table({"id": IDS, "emb": rows, "label": CLASSES})
    pq.write_table(table, path, row_group_size=7)


def parquet_fixed(path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    flat = pa.array(VECTORS.reshape(-1))
    parquet(path, pa.FixedSizeListArray.from_arrays(flat, 6))


def parquet_cut_off(path: Path) -> None:
    pytest.importorskip("pyarrow")
    path.write_bytes(b"PAR1")


def parquet_columns(path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    numbers = {f"e{i}": VECTORS[:, i] for i in range(6)}
    pq.write_table(pa.table({"id": IDS, **numbers, "label": [i % 2 for i in range(50)]}), path)


def table(path: Path, titles: list[str] | None, between: str = ",") -> None:
    lines = [] if titles is None else [titles]
    for name, row, label in zip(IDS, VECTORS.tolist(), CLASSES, strict=True):
        lines.append([name, *map(repr, row), label])
    path.write_text("\n".join(between.join(line) for line in lines) + "\n\n")


def csv(path: Path) -> None:
    table(path, ["id", *(f"e{i}" for i in range(6)), "label"])


def csv_of_pandas(path: Path) -> None:
    table(path, ["id", *map(str, range(6)), "label"])


def csv_without_titles(path: Path) -> None:
    table(path, None)


def tsv(path: Path) -> None:
    table(path, ["id", *(f"e{i}" for i in range(6)), "label"], "\t")


def csv_semicolons(path: Path) -> None:
    table(path, ["id", *(f"e{i}" for i in range(6)), "label"], ";")


def csv_lists(path: Path) -> None:
    lines = ["id,vector,label"]
    for name, row, label in zip(IDS, VECTORS, CLASSES, strict=True):
        numbers = str(row) if name < "image-3" else str(row.tolist())  # numpy's and Python's
        lines.append(f'{name},"{numbers}",{label}')
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("save", "ending", "beside"),
    [
        (npy, "npy", False),
        (npy_fortran, "npy", False),
        (npy_big_endian, "npy", False),
        (npz, "npz", True),
        (npz_packed, "npz", True),
        (tensors, "safetensors", True),
        (parquet, "parquet", True),
        (parquet_fixed, "parquet", True),
        (parquet_columns, "parquet", True),
        (csv, "csv", True),
        (csv_of_pandas, "csv", True),
        (csv_without_titles, "csv", False),
        (csv_semicolons, "csv", True),
        (csv_lists, "csv", True),
        (tsv, "tsv", True),
    ],
)
def test_a_file_gives_the_vectors_that_were_saved(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    save: Callable[[Path], None],
    ending: str,
    beside: bool,
) -> None:
    monkeypatch.setattr(vectors, "NUMBERS_AT_ONCE", 100)  # several blocks
    path = tmp_path / f"some.{ending}"
    save(path)
    file = open_file(str(path))
    assert (file.rows, file.dimensions) == VECTORS.shape
    blocks = list(file.blocks())
    assert all(block.dtype == np.float32 for block in blocks)
    np.testing.assert_allclose(np.concatenate(blocks), VECTORS, rtol=1e-6)
    np.testing.assert_allclose(np.concatenate(list(file.blocks())), VECTORS, rtol=1e-6)
    if beside:
        labels = file.columns[file.found("labels") or ""]()
        known = list(labels) if isinstance(labels, list) else labels.tolist()
        assert known in (CLASSES, [row % 2 for row in range(50)])


def test_half_precision_of_torch_is_widened(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    narrow = torch.from_numpy(VECTORS).bfloat16()
    safetensors.torch.save_file({"vectors": narrow}, path)
    found = np.concatenate(list(open_file(str(path)).blocks()))
    assert np.array_equal(found, narrow.float().numpy())


def test_an_array_of_several_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    np.savez(path, before=VECTORS, after=2 * VECTORS)
    with pytest.raises(OpenError, match=r"name one: some\.npz:before"):
        open_file(str(path))
    file = open_file(f"{path}:after")
    assert file.title == "some.npz:after"
    assert np.array_equal(np.concatenate(list(file.blocks())), 2 * VECTORS)
    with pytest.raises(OpenError, match="no vectors named gone: it has before"):
        open_file(f"{path}:gone")


def test_null_rows_and_numbers_are_not_finite(tmp_path: Path) -> None:
    rows: list[Any] = VECTORS.tolist()
    rows[3], rows[4] = None, [1.0, None, 3.0, 4.0, 5.0, 6.0]
    path = tmp_path / "some.parquet"
    parquet(path, rows)
    found = np.concatenate(list(open_file(str(path)).blocks()))
    assert np.flatnonzero(~np.isfinite(found).all(axis=1)).tolist() == [3, 4]
    kept = [row for row in range(50) if row not in (3, 4)]
    assert np.array_equal(found[kept], VECTORS[kept])


def test_a_column_of_numbers_that_is_named_is_no_part_of_the_vectors(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("a,b,species\n" + "".join(f"{i},{i / 2},{i % 3}\n" for i in range(9)))
    assert open_file(str(path)).dimensions == 3
    file = open_file(str(path), ["species"])
    assert file.dimensions == 2 and list(file.columns) == ["species"]


@pytest.mark.parametrize("header", ["id;a;b;label\n", ""])
def test_decimal_commas_are_numbers_where_cells_are_not_separated_by_commas(
    tmp_path: Path, header: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(header + "r1;-1,5;2,25e1;x\nr2;3;,5;y\n")
    file = open_file(str(path))
    assert np.concatenate(list(file.blocks())).tolist() == [[-1.5, 22.5], [3.0, 0.5]]
    path.write_text(header + "r1;1,500;2.25;x\nr2;3;0.5;y\n")
    assert open_file(str(path)).dimensions == 1  # with points too, commas may be thousands


def write(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.mark.parametrize(
    ("name", "save", "words"),
    [
        ("a.npy", lambda p: np.save(p, np.array([{}, []], object)), "Python objects.*numpy.stack"),
        ("a.npy", lambda p: np.save(p, np.zeros(5)), r"1 dimension, \(5,\), but vectors need two"),
        ("a.npy", lambda p: np.save(p, np.zeros((5, 2, 3))), r"try x.reshape\(5, -1\)"),
        ("a.npy", lambda p: np.save(p, np.zeros((5, 2, 1))), r"try x.reshape\(5, -1\)$"),
        ("a.npy", lambda p: np.save(p, np.zeros((5, 2, 3, 4))), r"try x.reshape\(5, -1\)$"),
        ("a.npy", lambda p: np.save(p, np.zeros(5)), r"try x.reshape\(-1, 1\)$"),
        ("a.npy", lambda p: np.save(p, np.zeros((5, 0))), "its vectors have no numbers"),
        ("a.npy", lambda p: np.save(p, np.zeros((5, 2), complex)), "real numbers"),
        ("a.npy", lambda p: np.save(p, np.array([["a"]] * 3)), "real numbers"),
        ("a.npy", lambda p: np.save(p, np.zeros((1, 2))), "at least two vectors"),
        ("a.npy", lambda p: np.save(p, np.zeros((0, 2))), "at least two vectors"),
        ("a.npy", lambda p: p.write_bytes(b""), "cannot be read"),
        ("a.npy", lambda p: p.write_bytes(b"\x93NUMPY\x01\0"), "cannot be read"),
        ("a.npz", lambda p: p.write_bytes(b"PK no"), "cannot be read"),
        ("a.npz", lambda p: np.savez(p, y=np.zeros(5)), "real|needs|dimension"),
        (
            "a.npz",
            lambda p: np.savez(p, a=np.zeros(5), b=np.zeros(4)),
            r"no vectors: it has a \(5\)",
        ),
        ("a.npz", lambda p: np.savez(p, x=np.array([None, {}])), "Python objects"),
        ("a.safetensors", lambda p: p.write_bytes(b"\0" * 20), "cannot be read"),
        ("a.parquet", parquet_cut_off, "cannot be read as Parquet"),
        ("a.csv", lambda p: write(p, ""), "is empty"),
        ("a.csv", lambda p: write(p, "id,label\n"), "no rows"),
        ("a.csv", lambda p: write(p, "id,label\na,b\nc,d\n"), "no numbers"),
        ("a.csv", lambda p: write(p, "a,b\n1,2\n3\n"), "line 3 has 1 cell, the lines before it 2"),
        ("a.csv", lambda p: write(p, "a,b\n1,2\n3,4\n5,x6\n"), "line 4, column b: 'x6' is not a"),
        ("a.csv", lambda p: write(p, 'v\n"[1, 2]"\n"[1]"\n'), "line 3 has 1 number, the first 2"),
        ("a.csv", lambda p: p.write_bytes(b"a,b\n1,2\n\xff\xfe,3\n"), "not UTF-8.*: save it as"),
        ("a.pt", lambda p: torch.save({}, p), "is a pickle"),
        ("a.txt", lambda p: write(p, "1 2 3"), "only .npy, .npz"),
        ("a.npy", lambda p: p.mkdir(), "is a folder"),
        ("a.npy", lambda p: None, "cannot be read: No such file"),
    ],
)
def test_what_has_no_vectors_is_refused_in_a_sentence(
    tmp_path: Path, name: str, save: Callable[[Path], Any], words: str
) -> None:
    path = tmp_path / name
    save(path)
    with pytest.raises(OpenError, match=words) as caught:
        list(open_file(str(path)).blocks())
    assert str(path) in str(caught.value)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    for name, save in (("a.npy", npy), ("a.safetensors", tensors), ("a.npz", npz)):
        path = tmp_path / name
        save(path)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(OpenError, match=r"cannot be read|claims"):
            list(open_file(str(path)).blocks())


def test_lists_of_different_lengths_are_refused(tmp_path: Path) -> None:
    rows: list[Any] = VECTORS.tolist()
    rows[20] = [1.0]
    parquet(tmp_path / "a.parquet", rows)
    with pytest.raises(OpenError, match="row 20 of emb has 1 number, the first has 6"):
        list(open_file(str(tmp_path / "a.parquet")).blocks())


def test_without_pyarrow_a_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(OpenError, match=r"pip install 'tui-latent\[parquet\]'"):
        open_file(str(tmp_path / "a.parquet"))
