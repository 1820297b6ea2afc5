"""Vectors in .parquet, with pyarrow: a column of lists, or a column for each number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.opening.errors import OpenError
from tui_latent.opening.vectors import RESERVED, Column, VectorFile, chosen, rows_at_once

if TYPE_CHECKING:
    import pyarrow as pa


def open_parquet(path: Path, name: str | None, taken: Collection[str] = ()) -> VectorFile:
    """Open a table whose vectors are a column of lists or columns of numbers.

    The other columns, those named in `taken` among them, can be ids, labels and images. OpenError
    without pyarrow, and for a table without vectors.
    """
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise OpenError(
            f"{path}: Parquet files need pyarrow: pip install 'tui-latent[parquet]'"
        ) from None
    import pyarrow as pa

    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, int(file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise OpenError(f"{path}: cannot be read as Parquet: {error}") from error
    lists = {
        field.name: f"of {field.type}" for field in schema if _numbers_in(field.type) is not None
    }
    known = {reserved for names in RESERVED.values() for reserved in names}
    plain = [
        field.name
        for field in schema
        if _is_number(field.type)
        and field.name.casefold() not in known
        and field.name not in taken
        and not field.name.startswith("__index")
    ]
    if name is None and not lists and len(plain) > 1:
        vectors, title = plain, path.name
        dimensions = len(plain)
    else:
        others = ", ".join(f"{field.name} of {field.type}" for field in schema) or "no column"
        vectors = [chosen(path, name, lists, others)]
        title = f"{path.name}:{vectors[0]}" if len(lists) > 1 else path.name
        dimensions = _width(path, vectors[0], schema.field(vectors[0]).type, rows)
    if rows < 2 or not dimensions:
        raise OpenError(f"{path}: has {rows:,} rows: at least two vectors are needed")

    def read() -> Iterator[NDArray[Any]]:
        done = 0
        for batch in _batches(path, vectors, rows_at_once(dimensions)):
            if len(vectors) > 1:
                yield np.stack([_plain(column) for column in batch.columns], axis=1)
            else:
                yield _rows(batch.column(0), path, vectors[0], dimensions, done)
            done += batch.num_rows

    columns: dict[str, Callable[[], Column]] = {
        field.name: _reader(path, field.name) for field in schema if field.name not in vectors
    }
    return VectorFile(path, title, rows, dimensions, read, columns)


def _numbers_in(kind: pa.DataType) -> pa.DataType | None:
    """Return the type of the numbers in a list column; None if it is not one."""
    import pyarrow as pa

    kind = getattr(kind, "storage_type", kind)  # of tensors of a fixed shape
    is_list = (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
    return kind.value_type if is_list and _is_number(kind.value_type) else None


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _batches(path: Path, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=rows, columns=columns):
                yield batch.select(columns)
    except pa.ArrowException as error:
        raise OpenError(f"{path}: cannot be read as Parquet: {error}") from error


def _width(path: Path, column: str, kind: pa.DataType, rows: int) -> int:
    """Return how many numbers a row of a list column has: those of the first that has any."""
    import pyarrow as pa

    kind = getattr(kind, "storage_type", kind)
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    for batch in _batches(path, [column], 1024):
        for value in _storage(batch.column(0)):
            if value.is_valid:
                return len(value)
    raise OpenError(f"{path}: all {rows:,} rows of {column} are null")


def _storage(column: pa.Array) -> pa.Array:
    return getattr(column, "storage", column)


def _rows(
    column: pa.Array, path: Path, name: str, dimensions: int, before: int
) -> NDArray[np.float32]:
    """Return a list column as (n, D); a null row is NaN, as is a null number."""
    import pyarrow.compute as pc

    column = _storage(column)
    valid = np.asarray(column.is_valid())
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), dimensions))
    if (odd := np.flatnonzero(lengths != dimensions)).size:
        count = int(lengths[odd[0]])
        raise OpenError(
            f"{path}: row {before + odd[0]:,} of {name} has {counted(count, 'number')}, "
            f"the first has {dimensions:,}: all must have the same length"
        )
    found = np.full((len(column), dimensions), np.nan, np.float32)
    # `flatten` leaves out the rows that are null, whatever lies beneath them.
    found[valid] = _plain(column.flatten()).reshape(-1, dimensions)
    return found


def _plain(column: pa.Array) -> NDArray[np.float32]:
    """Return a column of numbers; null is NaN."""
    numbers = column.to_numpy(zero_copy_only=False)
    if numbers.dtype == object:  # integers among which some are null
        numbers = np.array([np.nan if number is None else number for number in numbers])
    with np.errstate(over="ignore"):
        return np.asarray(numbers, dtype=np.float32)


def _reader(path: Path, name: str) -> Callable[[], Column]:
    def read() -> Column:
        values: list[Any] = []
        for batch in _batches(path, [name], 1 << 16):
            values += batch.column(0).to_pylist()
        return values

    return read
