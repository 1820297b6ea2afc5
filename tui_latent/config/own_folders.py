"""The folders of presets that people saved: found by name from anywhere, and listed in the menu."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tui_latent.runtime.regular_files import SizeError, read_small

FOLDERS_VARIABLE: Final = "TUI_LATENT_PRESETS"
_REMEMBERED: Final = "folders.txt"
"""file in the first folder that lists the other folders in which presets were saved"""


def first_own_folder() -> Path:
    """Return the folder in which presets are saved unless another is named; it may not exist."""
    if chosen := os.environ.get(FOLDERS_VARIABLE, ""):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_config_path

    return user_config_path("tui-latent", appauthor=False) / "presets"


def own_folders() -> list[Path]:
    """Return the first folder, then those in which presets have been saved; the newest last."""
    first = first_own_folder()
    try:
        lines = read_small(first / _REMEMBERED).decode("utf-8", "replace").splitlines()
    except (OSError, SizeError):
        lines = []
    return list(dict.fromkeys([first, *(Path(line) for line in lines if line.strip())]))


def remember_folder(folder: Path) -> None:
    """Add a folder to those whose presets are listed; OSError if it cannot be recorded."""
    first = first_own_folder()
    if folder in own_folders():
        return
    first.mkdir(parents=True, exist_ok=True)
    with (first / _REMEMBERED).open("a", encoding="utf-8") as file:
        file.write(f"{folder}\n")


def own_presets() -> dict[str, Path]:
    """Return the files of the presets that people saved, by name.

    If two folders have the same name, the first folder's counts. A folder that is gone or cannot
    be read has none.
    """
    found: dict[str, Path] = {}
    for folder in own_folders():
        try:
            files = sorted(folder.glob("*.toml"))
        except OSError:
            files = []
        for file in files:
            found.setdefault(file.stem, file)
    return found
