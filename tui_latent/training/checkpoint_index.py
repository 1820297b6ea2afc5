"""`checkpoints/last.json`: the newest and the best checkpoint, and the SHA-256 of each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runtime.regular_files import read_small

_NAME: Final = re.compile(r"step-(\d{9,18})\.pt")


@dataclass
class Index:
    """Content of `last.json`: names of files, and their digests."""

    last: str = ""
    best: str = ""
    sha256: dict[str, str] = field(default_factory=dict)


def checkpoint_step(name: str) -> int | None:
    """Return the step of the checkpoint with this file name; None for other files."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def read_index(folder: Path) -> Index:
    """Read `last.json`; an empty index if it is missing or damaged."""
    try:
        table = json.loads(read_small(folder / "last.json"))
    except (FileNotFoundError, ValueError, RecursionError):
        return Index()
    if not isinstance(table, dict):
        return Index()
    last, best, digests = (table.get(key) for key in ("last", "best", "sha256"))
    return Index(
        last if isinstance(last, str) else "",
        best if isinstance(best, str) else "",
        _texts(digests) if isinstance(digests, dict) else {},
    )


def _texts(table: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in table.items() if isinstance(value, str)}


def write_index(folder: Path, index: Index) -> None:
    """Replace `last.json`, without the digests of files that are gone; OSError."""
    there = {name: digest for name, digest in index.sha256.items() if (folder / name).exists()}
    table = {"last": index.last, "best": index.best, "sha256": there}
    content = json.dumps({key: value for key, value in table.items() if value})
    replace_file(folder / "last.json", content.encode(), durable=True)
