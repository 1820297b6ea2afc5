"""Read a table of images from WebDataset shards: tar archives of files that share a key.

The key of a member is its path up to the first dot of its name; the rest is its kind. Members of
one key are one sample: an image, and what `.cls`, `.txt` and `.json` say about it. Format:
https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from tui_latent.datasets.folder_entries import listed, names_an_image
from tui_latent.datasets.manifest.arrow_table import Shard
from tui_latent.datasets.manifest.table import Table
from tui_latent.datasets.manifest.text_table import columns_of, nested_note
from tui_latent.nouns import counted
from tui_latent.runtime.regular_files import open_regular
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError

SUFFIXES: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_TEXTS: Final = frozenset(
    {"cls", "cls2", "label", "index", "id", "txt", "text", "caption", "split"}
)
"""kinds of members whose text is a value"""
_LONGEST_TEXT: Final = 1 << 20
_PACKED: Final[Mapping[bytes, Callable[[BinaryIO], BinaryIO]]] = {
    b"\x1f\x8b": lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: cast(BinaryIO, bz2.BZ2File(file)),
    b"\xfd7zXZ\x00": lambda file: cast(BinaryIO, lzma.LZMAFile(file)),  # noqa: SIM115
}
"""readers of compressed archives by the bytes that these begin with"""
_BROKEN: Final = (tarfile.TarError, EOFError, zlib.error, ValueError)


class _Member(NamedTuple):
    shard: int
    name: str
    offset: int
    size: int


@dataclass(frozen=True, eq=False)
class _StoredInTars:
    """Images in tar archives, read where they lie."""

    root: Path
    paths: Sequence[Path]
    files: Sequence[BinaryIO]
    members: Sequence[_Member]

    def name(self, row: int) -> str:
        member = self.members[row]
        path = self.paths[member.shard]
        shown = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        return f"{shown.as_posix()}/{member.name}"

    def shard(self, row: int) -> Path:
        return self.paths[self.members[row].shard]

    def read(self, row: int) -> bytes:
        member = self.members[row]
        descriptor = self.files[member.shard].fileno()
        content = os.pread(descriptor, member.size, member.offset)
        if len(content) < member.size:
            path = str(self.shard(row))
            raise OSError(errno.EIO, "it ends before its last file: it is cut short", path)
        return content


def read_shards(
    path: Path, shards: Sequence[Shard], log: Callable[[str], None], poll: Callable[[], None]
) -> Table:
    """Read what tar shards say about their images, and where each is; DataError names a shard.

    A compressed shard is unpacked into a temporary file first.
    """
    root = Path(os.path.commonpath([shard.path.parent for shard in shards]))
    files: list[BinaryIO] = []
    members: list[_Member] = []
    rows: list[dict[str, object]] = []
    splits: list[str] = []
    skipped: Counter[tuple[str, str]] = Counter()
    for number, shard in enumerate(shards):
        try:
            files.append(_plain_tar(shard.path, log))
            for key, kinds in _samples(files[-1], poll):
                image = _image_of(kinds)
                if image is None:
                    skipped["sample", " without an image"] += 1
                    continue
                kind, info = image
                members.append(_Member(number, info.name, info.offset_data, info.size))
                row, unused = _values(shard.path, files[-1], kinds, kind)
                skipped.update(unused)
                rows.append({"key": key, **row})
                splits.append(shard.split)
        except FileNotFoundError as error:
            raise DataError(f"data.path: no file {shard.path}") from error
        except _BROKEN as error:
            raise DataError(f"{shard.path}: not a complete tar archive ({error}): copy it again") \
                from error  # fmt: skip
        except OSError as error:
            raise DataError(f"{shard.path}: {error.strerror or error}: make it readable") from error
    if not rows:
        raise DataError(f"{path}: there are no images in it{_listed(skipped)}")
    columns, nested = columns_of(rows)
    notes = list(nested_note(nested))
    if skipped:
        notes.append(f"not used{_listed(skipped)}")
    folders = {str(row["key"]).rpartition("/")[0] for row in rows}
    if columns.keys() == {"key"} and len(folders) > 1:
        notes.append(
            f"its folders ({listed(sorted(folders))}) are not read as classes; unpacked, they are, "
            "with data.source=folder"
        )
    images = _StoredInTars(root, [shard.path for shard in shards], files, members)
    return Table(path, columns, root, images, splits=splits, notes=tuple(notes))


def _listed(skipped: Counter[tuple[str, str]]) -> str:
    """Name what is skipped, by its noun and what follows it."""
    most = skipped.most_common(4)
    kinds = [f"{counted(count, printable(noun))}{rest}" for (noun, rest), count in most]
    return f": {', '.join(kinds)}" if kinds else ""


def _plain_tar(path: Path, log: Callable[[str], None]) -> BinaryIO:
    """Open a tar archive; unpack a compressed one into a temporary file, which ends with it."""
    file = open_regular(path)
    start = file.read(6)
    file.seek(0)
    opener = next((o for magic, o in _PACKED.items() if start.startswith(magic)), None)
    if opener is None:
        return file
    log(f"{path.name}: compressed, so it is unpacked into a temporary file first")
    plain = tempfile.TemporaryFile(prefix="tui-latent-")  # noqa: SIM115 - kept for its images
    with file, opener(file) as packed:
        try:
            shutil.copyfileobj(packed, plain, 1 << 20)
        except lzma.LZMAError as error:
            raise tarfile.ReadError(str(error)) from error
    plain.seek(0)
    return plain


def _samples(
    file: BinaryIO, poll: Callable[[], None]
) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """Yield the key of each sample and its members by kind, in the order of the archive."""
    found: dict[str, dict[str, tarfile.TarInfo]] = {}
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for info in archive:
            poll()
            folder, slash, name = info.name.rpartition("/")
            stem, dot, kind = name.partition(".")
            if info.isreg() and stem and dot and not info.issparse():
                key = f"{folder}{slash}{stem}".removeprefix("./")
                found.setdefault(key, {})[kind.casefold()] = info
    yield from found.items()


def _image_of(kinds: Mapping[str, tarfile.TarInfo]) -> tuple[str, tarfile.TarInfo] | None:
    """Return the image of a sample: `.jpg` before `.seg.png`; None if there is none."""
    images = [kind for kind in kinds if names_an_image(f"x.{kind}")]
    best = min(images, key=lambda kind: (kind.count("."), kind == "npy", kind), default=None)
    return None if best is None else (best, kinds[best])


def _values(
    path: Path, file: BinaryIO, kinds: Mapping[str, tarfile.TarInfo], image: str
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """Return what the members of a sample say about its image, and the kinds that are not used."""
    values: dict[str, object] = {}
    unused: list[tuple[str, str]] = []
    for kind, info in kinds.items():
        if kind == image:
            continue
        kind = kind.removesuffix(".txt")  # .cls.txt is .cls
        if (kind != "json" and kind not in _TEXTS) or info.size > _LONGEST_TEXT:
            unused.append((f".{kind} file", ""))
            continue
        content = os.pread(file.fileno(), info.size, info.offset_data)
        try:
            text = content.decode("utf-8-sig").strip()
            said = json.loads(text) if kind == "json" else text
        except (ValueError, RecursionError) as error:
            what = "JSON" if kind == "json" else "UTF-8 text"
            raise DataError(f"{path}: {printable(info.name)} is not {what}: {error}") from error
        values |= said if isinstance(said, dict) else {kind: said}
    return values, unused
