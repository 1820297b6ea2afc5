from __future__ import annotations

import os
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.line_files import AppendedLines, GrowingLines

texts = st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=12)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files") / "lines"


def read(lines: GrowingLines) -> list[bytes]:
    return [line for _, line in lines.lines()]


@given(texts, st.lists(st.integers(0, 200), max_size=6))
def test_every_line_arrives_once_wherever_the_writes_are_cut(
    file: Path, lines: list[bytes], cuts: list[int]
) -> None:
    content = b"".join(line + b"\n" for line in lines)
    file.write_bytes(b"")
    reader = GrowingLines(file)
    got = []
    edges = sorted({0, len(content), *(min(cut, len(content)) for cut in cuts)})
    for start, end in pairwise(edges):
        with file.open("ab") as out:
            out.write(content[start:end])
        assert not reader.replaced()
        got += read(reader)
    assert got == lines


@pytest.mark.parametrize("new", [b"other\n", b"other file, longer than the first\n", b""])
@pytest.mark.parametrize("in_place", [True, False])
def test_a_replaced_file_is_read_from_its_start(tmp_path: Path, new: bytes, in_place: bool) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"first file\n")
    reader = GrowingLines(path)
    assert read(reader) == [b"first file"]
    if in_place:
        path.write_bytes(new)
    else:
        replace_file(path, new)
    assert reader.replaced()
    assert read(reader) == new.splitlines()


def test_a_file_that_comes_later_or_goes_is_not_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    reader = GrowingLines(path)
    assert read(reader) == []
    path.write_bytes(b"one\ntw")
    assert read(reader) == [b"one"]
    path.unlink()
    assert reader.replaced()
    assert read(reader) == []
    path.write_bytes(b"again\n")
    assert read(reader) == [b"again"]


@given(texts, st.integers(0, 5), st.integers(1, 100))
def test_reading_from_the_end_gives_the_last_lines(
    file: Path, lines: list[bytes], count: int, most_bytes: int
) -> None:
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    reader = GrowingLines(file)
    reader.start_near_end(count, 1 << 20)
    assert read(reader) == lines[max(0, len(lines) - count) :]
    bounded = GrowingLines(file)
    bounded.start_near_end(count, most_bytes)
    got = read(bounded)
    assert got == lines[len(lines) - len(got) :] or most_bytes <= max(map(len, lines))


def test_a_line_torn_by_a_killed_writer_is_ended_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'whole\n{"torn')
    lines = AppendedLines(path)
    lines.append(b"next")
    lines.append(b"after")
    lines.close()
    assert path.read_bytes() == b'whole\n{"torn\nnext\nafter\n'


def test_a_line_of_many_megabytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"a" * 3_000_000 + b"\nb\n")
    assert [len(line) for line in read(GrowingLines(path))] == [3_000_000, 1]


def test_a_full_disk_is_an_error_and_leaves_no_part_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines"
    lines = AppendedLines(path)
    lines.append(b"one")
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
    with pytest.raises(OSError, match="No space left"):
        lines.append(b"two")
    monkeypatch.undo()
    lines.append(b"three")
    lines.close()
    assert path.read_bytes() == b"one\nthree\n"


@pytest.mark.slow
def test_of_a_line_without_bounds_the_end_is_kept_and_the_next_lines_are_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lines"
    with path.open("wb") as file:
        file.write(b"first\n")
        file.seek(300_000_000, os.SEEK_CUR)
        file.write(b"end\nlast\n")
    lines = GrowingLines(path)
    tracemalloc.start()
    try:
        first, long, last = read(lines)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert (first, last) == (b"first", b"last")
    assert long.startswith("…".encode()) and long.endswith(b"\0end") and len(long) < 1 << 22
    assert lines.offset == path.stat().st_size
    with path.open("ab") as file:
        file.write(b"more\n")
    assert not lines.replaced() and read(lines) == [b"more"]
