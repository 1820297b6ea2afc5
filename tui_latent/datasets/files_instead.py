"""Say which files a folder has where images are expected, and what can be done with them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tui_latent.datasets.folder_entries import is_image_name
from tui_latent.datasets.foreign_content import foreign_content
from tui_latent.runtime.regular_files import open_regular
from tui_latent.runtime.sanitize import plain_name, printable

_FILES = {
    (".npz", ".npy"): "set data.source=arrays",
    (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt", ".lst"): "set data.source=manifest",
    (".tar", ".tar.gz", ".tgz"): "unpack it, or set data.source=manifest for WebDataset shards",
    (".zip", ".7z", ".rar", ".gz", ".bz2", ".xz"): "unpack it",
}
"""what to do with files of certain kinds, by their extension"""
_IMAGES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF8": ".gif",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
"""extensions of images by what they begin with"""
_LOOKED_AT = 1000
"""maximum number of entries of a folder that are counted"""


def use_of_file(name: str) -> str:
    """Say what to do with a file that is no folder of images, by its name; empty if unknown."""
    name = name.casefold()
    return next((words for endings, words in _FILES.items() if name.endswith(endings)), "")


def files_instead(folder: Path) -> str:
    """Name the most frequent kind of other files in a folder, to follow "no images"."""
    kinds: dict[str, list[str]] = {}
    try:
        for path in islice(folder.iterdir(), _LOOKED_AT):
            if path.is_file() and not path.name.startswith(".") and not is_image_name(path.name):
                kinds.setdefault(path.suffix.casefold()[:12], []).append(path.name)
        if not kinds:
            return ""
        kind = max(sorted(kinds), key=lambda kind: len(kinds[kind]))
        first = min(kinds[kind])
        with open_regular(folder / first) as file:
            what = _what(first, file.read(4096))
    except OSError:
        return ""
    count, plural = len(kinds[kind]), "s" * (len(kinds[kind]) > 1)
    named = f"{printable(kind)} file{plural}" if kind else f"file{plural} without an extension"
    return f", but {count:,} {named}, such as {plain_name(first, 40)}{f' ({what})' if what else ''}"


def _what(name: str, start: bytes) -> str:
    """Say what a file is and what to do, if that is known; else an empty text."""
    ending = next((ending for begins, ending in _IMAGES.items() if start.startswith(begins)), "")
    if ending:
        return f"an image: end its name with {ending}"
    return use_of_file(name) or foreign_content(start)
