"""Find out what kind of table `data.path` names, and read it."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tui_latent.datasets.folder_entries import is_image_name
from tui_latent.datasets.manifest import arrow_table, tar_shards, text_table
from tui_latent.datasets.manifest.arrow_table import Shard
from tui_latent.datasets.manifest.table import Table
from tui_latent.datasets.splits import is_rubbish, role_of_name, split_role
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.errors import DataError
from tui_latent.sources.naming import natural_order

_METADATA: Final = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""the table of an image folder of Hugging Face `datasets`"""
_SAVED: Final = ("dataset_dict.json", "state.json")
"""files beside a dataset that was saved by `save_to_disk`"""
_PARQUET: Final = (".parquet", ".pq")
_ARROW: Final = ".arrow"
_CACHED: Final = "cache-"
"""how the files begin that `datasets` keeps beside a dataset for what was computed from it"""
_OTHERS: Final = {
    (".zst", ".zip", ".7z", ".rar"): "unpack it",
    (".xlsx", ".xls", ".ods"): "save it as CSV",
    (".json",): "write it as JSON Lines, an object per line, and call it .jsonl",
    (".npz", ".npy"): "set data.source=arrays",
}
"""what to do with files of other kinds, by their extension"""
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_RANGE: Final = re.compile(r"(\d+)\.\.(\d+)")
_MOST_SHARDS: Final = 100_000
_COUNTED: Final = re.compile(r"[-_.]?\d+(?:[-_]of[-_]\d+)?$")
"""the number of a shard at the end of its name"""
WANTED: Final = (
    "name a CSV, TSV, JSON Lines or Parquet file with a row per image, a folder of Parquet files, "
    "a folder written by `save_to_disk` of Hugging Face datasets, or WebDataset shards such as "
    "train-{0000..0009}.tar"
)


def read_table(named: str, log: Callable[[str], None], poll: Callable[[], None]) -> Table:
    """Read the table that `data.path` names; DataError says what is wrong with it."""
    path = Path(named).expanduser()
    if path.is_dir():
        return _of_folder(path, log, poll)
    if not path.exists() and (paths := _expanded(str(path))):
        return _of_files(path, paths, log, poll)
    if not path.exists():
        raise DataError(f"data.path: no file {path.absolute()}: {WANTED}")
    return _of_files(path, [path], log, poll)


def is_tar(named: str) -> int:
    """Return how many tar shards `data.path` names; 0 if it names something else.

    DataError as for `read_table`.
    """
    path = Path(named).expanduser()
    if path.is_dir():
        if any((path / name).exists() for name in (*_METADATA, *_SAVED)):
            return 0
        if _texts_in(path):
            return 0
        names = [p.name.casefold() for p in _files_below(path)]
        if any(name.endswith(_PARQUET) for name in names):
            return 0
    else:
        paths = [path] if path.exists() else _expanded(str(path))
        if missing := [p for p in paths if not p.exists()]:
            raise DataError(f"data.path: no file {missing[0]}")
        names = [p.name.casefold() for p in paths]
    return sum(name.endswith(tar_shards.SUFFIXES) for name in names)


def _of_files(
    path: Path, paths: Sequence[Path], log: Callable[[str], None], poll: Callable[[], None]
) -> Table:
    name = paths[0].name.casefold()
    if name.endswith(tar_shards.SUFFIXES):
        return tar_shards.read_shards(path, _with_splits(paths), log, poll)
    if name.endswith(_PARQUET):
        arrow_table.require_pyarrow(paths[0])
        single = [Shard(paths[0])]
        return arrow_table.read_parquet(path, _with_splits(paths) if paths[1:] else single, poll)
    if name.endswith(_ARROW):
        arrow_table.require_pyarrow(paths[0])
        return arrow_table.read_arrow(path, [Shard(p) for p in paths], poll)
    if len(paths) > 1:
        raise DataError(f"{path}: several files, but not Parquet or tar shards: {WANTED}")
    if name.endswith((*text_table.JSON_LINES, *text_table.DELIMITED)):
        return _read_text(paths[0], poll)
    helps = next((words for endings, words in _OTHERS.items() if name.endswith(endings)), WANTED)
    if is_image_name(name):
        helps = f"set data.source=folder and data.path={path.absolute().parent} for its images"
    raise DataError(f"{path}: not a table: {helps}")


def _of_folder(path: Path, log: Callable[[str], None], poll: Callable[[], None]) -> Table:
    for name in _METADATA:
        if (path / name).is_file():
            return _of_files(path / name, [path / name], log, poll)
    if (path / _SAVED[0]).is_file():
        splits = _json(path / _SAVED[0]).get("splits")
        names = [str(name) for name in splits] if isinstance(splits, list) else []
        shards = [Shard(p, role_of_name(n) or n) for n in names for p in _saved(path / n)]
        return _saved_table(path, shards, poll)
    if (path / _SAVED[1]).is_file():
        return _saved_table(path, [Shard(p) for p in _saved(path)], poll)
    texts = _texts_in(path)
    if texts and not any(p.suffix.casefold() in (*_PARQUET, ".tar") for p in path.iterdir()):
        return _of_texts(path, texts, poll)
    found = [p for p in _files_below(path) if p.name.casefold().endswith(_PARQUET)]
    if found:
        _refuse_configurations(path, found)
        arrow_table.require_pyarrow(path)
        return arrow_table.read_parquet(path, _with_splits(found, path), poll)
    found = [p for p in _files_below(path) if p.name.casefold().endswith(tar_shards.SUFFIXES)]
    if found:
        return tar_shards.read_shards(path, _with_splits(found, path), log, poll)
    found = [p for p in _files_below(path) if p.name.casefold().endswith(_ARROW)]
    if found := [p for p in found if not p.name.startswith(_CACHED)]:
        _refuse_configurations(path, found)
        return _saved_table(path, _with_splits(found, path), poll)
    raise DataError(
        f"{path}: contains no table: {WANTED}; or set data.source=folder for a folder of images"
    )


def _texts_in(path: Path) -> list[Path]:
    """Return the text tables directly in a folder, without those that list no images."""
    endings = (".csv", ".tsv", *text_table.JSON_LINES)
    there = [p for p in path.iterdir() if p.name.casefold().endswith(endings) and p.is_file()]
    there = [p for p in there if not p.name.startswith(".")]
    splits = [p for p in there if role_of_name(p.name.partition(".")[0])]
    return _naturally(splits or there)


def _of_texts(path: Path, texts: Sequence[Path], poll: Callable[[], None]) -> Table:
    """Read the only text table of a folder, or its tables train, val and test as one."""
    if len(texts) == 1:
        return _read_text(texts[0], poll)
    roles = [role_of_name(p.name.partition(".")[0]) for p in texts]
    if None in roles or len(set(roles)) < len(roles):
        shown = ", ".join(plain_name(p.name) for p in texts[:5])
        raise DataError(f"{path}: contains several tables: set data.path to one of {shown}")
    tables = [(role or "", _read_text(p, poll)) for role, p in zip(roles, texts, strict=True)]
    return text_table.joined(path, tables)


def _read_text(path: Path, poll: Callable[[], None]) -> Table:
    if path.name.casefold().endswith(text_table.JSON_LINES):
        return text_table.read_json_lines(path, poll)
    return text_table.read_delimited(path, poll)


def _saved_table(path: Path, shards: list[Shard], poll: Callable[[], None]) -> Table:
    if not shards:
        raise DataError(f"{path}: a saved dataset without data files: save it again")
    arrow_table.require_pyarrow(path)
    return arrow_table.read_arrow(path, shards, poll)


def _saved(folder: Path) -> list[Path]:
    """Return the data files of a split that `save_to_disk` wrote."""
    state = _json(folder / _SAVED[1])
    if state.get("_indices_files"):
        raise DataError(
            f"{folder}: the rows of this dataset were selected or shuffled: save it again with "
            "dataset.flatten_indices().save_to_disk(…)"
        )
    listed = state.get("_data_files")
    files = listed if isinstance(listed, list) else []
    return [folder / str(file["filename"]) for file in files if isinstance(file, dict)]


def _json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(read_small(path))
    except FileNotFoundError as error:
        raise DataError(f"{path}: missing: save the dataset again") from error
    except (ValueError, SizeError, RecursionError) as error:
        raise DataError(f"{path}: not the JSON of a saved dataset: {error}") from error
    return content if isinstance(content, dict) else {}


def _refuse_configurations(root: Path, found: Sequence[Path]) -> None:
    """Raise DataError where folders of Parquet files are different datasets, not splits of one."""
    tops = {p.relative_to(root).parts[0] for p in found if len(p.relative_to(root).parts) > 1}
    if len(tops) > 1 and not any(split_role(top) for top in tops):
        shown = ", ".join(map(plain_name, natural_order(tops)))
        first = root / natural_order(tops)[0]
        raise DataError(
            f"{root}: contains several datasets ({shown}): set data.path to one, such as {first}"
        )


def _with_splits(paths: Sequence[Path], root: Path | None = None) -> list[Shard]:
    """Return shards with the splits that their names stand for, in natural order.

    A name counts before the folders around it: `train-00000-of-00002`, `validation/0000`. Names
    that are no known split's are kept as they are, so that the table can show them.
    """
    shards = _naturally(paths)
    roles = [_role_of(p, root) for p in shards]
    if not any(split_role(role) for role in roles):
        return [Shard(p) for p in shards]
    return [Shard(p, role) for p, role in zip(shards, roles, strict=True)]


def _naturally(paths: Iterable[Path]) -> list[Path]:
    """Sort paths in natural order."""
    by_text = {str(p): p for p in paths}
    return [by_text[text] for text in natural_order(by_text)]


def _role_of(path: Path, root: Path | None) -> str:
    stem = path.name.partition(".")[0]
    while (shorter := _COUNTED.sub("", stem)) != stem:
        stem = shorter
    inner = path.parent.relative_to(root).parts if root and path.is_relative_to(root) else ()
    for name in (stem, *reversed(inner)):
        if role := role_of_name(name):
            return role
    return stem


def _files_below(root: Path) -> list[Path]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not is_rubbish(name)]
        found += [Path(folder) / name for name in files if not name.startswith(".")]
        if len(found) > _MOST_SHARDS:
            raise DataError(f"{root}: more than {_MOST_SHARDS:,} files: name the shards themselves")
    return found


def _expanded(pattern: str) -> list[Path]:
    """Return the files that a pattern names: {0000..0009}, {train,val}, * and ?."""
    if not any(mark in pattern for mark in "{*?"):
        return []
    texts = list(_braces(pattern))
    if not any(mark in pattern for mark in "*?"):
        return [Path(text) for text in texts]
    found = {name for text in texts for name in glob.glob(text)}  # noqa: PTH207 - an absolute pattern
    if not found:
        raise DataError(f"data.path: no file matches {pattern}")
    return [Path(name) for name in natural_order(found)]


def _braces(pattern: str) -> Iterator[str]:
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    inside = found[1]
    if counted := _RANGE.fullmatch(inside):
        first, last = int(counted[1]), int(counted[2])
        if last - first > _MOST_SHARDS:
            raise DataError(f"data.path: {pattern} names more than {_MOST_SHARDS:,} files")
        choices = [str(n).zfill(len(counted[1])) for n in range(first, last + 1)]
    else:
        choices = inside.split(",")
    for choice in choices:
        yield from _braces(pattern[: found.start()] + choice + pattern[found.end() :])
