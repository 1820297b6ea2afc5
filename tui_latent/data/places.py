"""Where images live on this machine, and whether more may be fetched."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """Return where datasets live: `$TUI_LATENT_DATA`, else `~/.cache/tui-latent/data`."""
    named = os.environ.get("TUI_LATENT_DATA")
    return Path(named).expanduser() if named else _home_folder()


def prepared_folder() -> Path:
    """Return where decoded images and computed features are kept: below the data folder.

    Below the home folder's instead where the data folder may not be written.
    """
    folder = data_folder()
    if folder.is_dir() and not os.access(folder, os.W_OK):
        folder = _home_folder()
    return folder / "prepared"


def downloads_allowed() -> bool:
    """Whether what is absent may be fetched: not when `$TUI_LATENT_OFFLINE` is set."""
    return os.environ.get("TUI_LATENT_OFFLINE", "") in ("", "0")


def find_file(root: Path, file: str) -> Path | None:
    """Return the path of a dataset's file, plain or gzipped; None when it is absent."""
    for path in (root / file, root / f"{file}.gz"):
        if path.is_file():
            return path
    return None


def _home_folder() -> Path:
    return Path.home() / ".cache" / "tui-latent" / "data"
