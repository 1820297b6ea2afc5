"""Read a table of images from Parquet or Arrow files, such as those of Hugging Face `datasets`.

Images are paths in a column of texts, bytes in a column of their own, or structs {bytes, path}.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tui_latent.datasets.manifest.arrow_files import ArrowFile, ParquetFile, as_os_error
from tui_latent.datasets.manifest.table import Table
from tui_latent.datasets.manifest.text_table import nested_note
from tui_latent.sources.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_NEEDED: Final = "needs pyarrow: pip install 'tui-latent[parquet]'"
_KEPT_BYTES: Final = 256_000_000
"""bytes of row groups that are kept because their next images are read soon"""
_IMAGE_TITLES: Final = ("image", "img", "picture", "photo", "bytes", "png", "jpg")


@dataclass(frozen=True)
class Shard:
    """One file of a table, and the split that its name says it belongs to."""

    path: Path
    split: str = ""


def read_parquet(path: Path, shards: Sequence[Shard], poll: Callable[[], None]) -> Table:
    """Read the columns of Parquet files, but not the images in them; DataError names a file."""
    return _joined(path, shards, [ParquetFile(shard.path) for shard in shards], poll)


def read_arrow(path: Path, shards: Sequence[Shard], poll: Callable[[], None]) -> Table:
    """Read the columns of the Arrow files that `save_to_disk` of `datasets` writes."""
    return _joined(path, shards, [ArrowFile(shard.path) for shard in shards], poll)


def require_pyarrow(path: Path) -> None:
    """Raise DataError if pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise DataError(f"{path}: reading it {_NEEDED}") from error


def _joined(
    path: Path,
    shards: Sequence[Shard],
    opened: Sequence[ParquetFile | ArrowFile],
    poll: Callable[[], None],
) -> Table:
    schema = opened[0].schema
    for file in opened[1:]:
        if file.schema.names != schema.names:
            raise DataError(
                f"{file.path}: its columns are {', '.join(file.schema.names)}, those of "
                f"{opened[0].path.name} are {', '.join(schema.names)}: keep files of one kind there"
            )
    stored = _image_field(schema)
    features = _features(schema)
    plain = [field for field in schema if field.name != stored and not _is_nested(field.type)]
    nested = [f.name for f in schema if f.name != stored and _is_nested(f.type)]
    columns: dict[str, list[object]] = {field.name: [] for field in plain}
    splits: list[str] = []
    counts = []
    for shard, file in zip(shards, opened, strict=True):
        poll()
        for name, cells in file.read([field.name for field in plain]).items():
            columns[name] += cells
        counts.append(file.rows)
        splits += [shard.split] * file.rows
    named = {
        name: tuple(map(str, feature["names"]))
        for name, feature in features.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list) and name in columns
    }
    images = _StoredInTables(path, opened, counts, stored) if stored else None
    return Table(
        path,
        columns,
        path if path.is_dir() else path.parent,
        images,
        class_names=named,
        splits=splits,
        notes=nested_note(nested),
    )


class _StoredInTables:
    """The images in the rows of Parquet or Arrow files."""

    def __init__(
        self,
        path: Path,
        files: Sequence[ParquetFile | ArrowFile],
        counts: Sequence[int],
        column: str,
    ) -> None:
        self._root = path if path.is_dir() else path.parent
        self._files = files
        self._starts = np.cumsum([0, *counts])
        self._column = column
        self._kept: OrderedDict[tuple[int, int], pa.ChunkedArray] = OrderedDict()
        self._mutex = threading.Lock()

    def name(self, row: int) -> str:
        number, inside = self._place(row)
        return f"{_below(self._files[number].path, self._root)}/{inside}"

    def shard(self, row: int) -> Path:
        return self._files[self._place(row)[0]].path

    def read(self, row: int) -> bytes:
        number, inside = self._place(row)
        file = self._files[number]
        group = file.group(inside)
        value = self._group(number, group)[inside - int(file.starts[group])].as_py()
        if isinstance(value, Mapping):
            content, named = value.get("bytes"), value.get("path")
            if content is None and named:
                return (file.path.parent / str(named)).read_bytes()
            value = content
        return value if isinstance(value, bytes) else b""

    def _group(self, number: int, group: int) -> pa.ChunkedArray:
        """Return the images of a row group, kept for the next reads while they are few."""
        with self._mutex:
            key = (number, group)
            if key not in self._kept:
                with as_os_error(self._files[number].path):
                    self._kept[key] = self._files[number].images_of(group, self._column)
            self._kept.move_to_end(key)
            while len(self._kept) > 2 and _bytes_of(self._kept) > _KEPT_BYTES:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _place(self, row: int) -> tuple[int, int]:
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        return number, row - int(self._starts[number])


def _bytes_of(kept: Mapping[tuple[int, int], pa.ChunkedArray]) -> int:
    return sum(images.nbytes for images in kept.values())


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _image_field(schema: pa.Schema) -> str:
    """Return the column that holds the bytes of images; empty if none does."""
    found = [field.name for field in schema if _holds_bytes(field.type)]
    marked = [
        name
        for name, feature in _features(schema).items()
        if isinstance(feature, dict) and feature.get("_type") == "Image" and name in found
    ]
    best = marked or [name for name in found if name.casefold() in _IMAGE_TITLES] or found
    return best[0] if best else ""


def _holds_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kind = getattr(kind, "storage_type", kind)
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_nested(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kind = getattr(kind, "storage_type", kind)
    if pa.types.is_dictionary(kind):
        return _is_nested(kind.value_type)
    return bool(
        pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    )


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """Return what Hugging Face `datasets` wrote about each column into the schema."""
    text = (schema.metadata or {}).get(b"huggingface", b"")
    try:
        features = json.loads(text)["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}
