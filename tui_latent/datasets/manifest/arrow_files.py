"""Open one Parquet or Arrow file: its columns, and the images of a part of its rows."""

from __future__ import annotations

import datetime
import errno
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tui_latent.sources.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


class ParquetFile:
    """A Parquet file, whose images are read a row group at a time."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self.path = path
        with _as_data_error(path):
            self._file = pq.ParquetFile(path)
            self.schema: pa.Schema = self._file.schema_arrow
            self.rows = int(self._file.metadata.num_rows)
            groups = [
                self._file.metadata.row_group(g).num_rows for g in range(self._file.num_row_groups)
            ]
        self.starts = np.cumsum([0, *groups])

    def read(self, names: list[str]) -> dict[str, list[object]]:
        with _as_data_error(self.path):
            table = self._file.read(columns=names)
            return {name: _cells(table.column(name)) for name in names}

    def group(self, row: int) -> int:
        """Return which row group has a row."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def images_of(self, group: int, name: str) -> pa.ChunkedArray:
        """Read the images of a row group."""
        return self._file.read_row_group(group, columns=[name]).column(0)


class ArrowFile:
    """An Arrow file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self.path = path
        with _as_data_error(path):
            source = pa.memory_map(str(path))
            try:
                self._table = pa.ipc.open_stream(source).read_all()
            except pa.ArrowInvalid:
                self._table = pa.ipc.open_file(source).read_all()
        self.schema: pa.Schema = self._table.schema
        self.rows = int(self._table.num_rows)
        self.starts = np.array([0, self.rows])

    def read(self, names: list[str]) -> dict[str, list[object]]:
        with _as_data_error(self.path):
            return {name: _cells(self._table.column(name)) for name in names}

    def group(self, row: int) -> int:
        """Return 0: all rows are mapped into memory."""
        return 0

    def images_of(self, group: int, name: str) -> pa.ChunkedArray:
        """Return the images of the file."""
        return self._table.column(name)


def _cells(column: pa.ChunkedArray) -> list[object]:
    return [_plain(cell) for cell in column.to_pylist()]


def _plain(cell: object) -> object:
    if isinstance(cell, (datetime.datetime, datetime.date, datetime.time)):
        return cell.isoformat(" ") if isinstance(cell, datetime.datetime) else cell.isoformat()
    if cell is None or isinstance(cell, (bool, int, float, str)):
        return cell
    return str(cell)


class _as_data_error:
    """Turns what pyarrow raises into a DataError that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import pyarrow as pa

        if isinstance(error, (pa.ArrowException, OSError, ValueError)):
            raise DataError(
                f"{self._path}: cannot be read as a Parquet or Arrow file: {error}"
            ) from error


class as_os_error:
    """Turns what pyarrow raises while images are read into an OSError that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import pyarrow as pa

        if isinstance(error, (pa.ArrowException, ValueError)):
            raise OSError(errno.EIO, f"damaged: {error}", str(self._path)) from error
