"""`labels.json`: what people note about a run: a name, tags, notes, and whether it is archived.

The file is optional, and only people change it: trainers neither read nor write it. The folder
keeps its name, because commands, sweeps, comparisons and other runs refer to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.file_lock import one_at_a_time
from tui_latent.runs.schema import Labels, RunError
from tui_latent.runtime.regular_files import read_small
from tui_latent.runtime.sanitize import plain_name, plain_text

LABELS_FILE: Final = "labels.json"
LONGEST_NAME: Final = 80
_LONGEST_TAG: Final = 40
_LONGEST_NOTES: Final = 4000

NONE: Final = Labels()


def tags_in(text: str) -> tuple[str, ...]:
    """Return the tags in a text: words between spaces or commas, each once, sorted."""
    words = (word.lstrip("#")[:_LONGEST_TAG] for word in text.replace(",", " ").split())
    return tuple(sorted({word for word in words if word}))


def read_labels(path: Path) -> Labels:
    """Read the labels of the run at `path`; empty ones if the file is missing or damaged."""
    try:
        table = json.loads(read_small(path / LABELS_FILE))
    except (OSError, ValueError, RecursionError):
        return NONE
    return _labels(table) if isinstance(table, dict) else NONE


def change_labels(path: Path, **changes: Any) -> Labels:
    """Change some of the labels of the run at `path`, and return all of them.

    RunError when the folder cannot be written.
    """
    try:
        with one_at_a_time(path / "control.lock"):  # guards all files that people write
            labels = _labels(asdict(replace(read_labels(path), **changes)))
            replace_file(path / LABELS_FILE, json.dumps(asdict(labels), indent=1).encode())
    except OSError as error:
        raise RunError(
            f"{path}: its name, tags and notes cannot be written: {error.strerror or error}"
        ) from error
    return labels


def _labels(table: dict[str, Any]) -> Labels:
    """Return the labels in a table; values of a wrong type are left out."""
    name, notes, tags = table.get("name"), table.get("notes"), table.get("tags")
    words: Iterable[Any] = tags if isinstance(tags, (list, tuple)) else ()
    return Labels(
        plain_name(" ".join(name.split()))[:LONGEST_NAME] if isinstance(name, str) else "",
        tags_in(" ".join(plain_name(word) for word in words if isinstance(word, str))),
        plain_text(notes.strip())[:_LONGEST_NOTES] if isinstance(notes, str) else "",
        table.get("archived") is True,
    )
