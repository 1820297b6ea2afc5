"""How each run was last shown: kept in the cache folder, which may be emptied at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tui_latent.runtime.regular_files import read_small

_MENU: Final = "menu"


def cache_folder() -> Path:
    """Return the folder of what can be made again: `$TUI_LATENT_CACHE`, or the system's."""
    named = os.environ.get("TUI_LATENT_CACHE")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("tui-latent", appauthor=False)


class ViewStates:
    """Small tables of JSON values: one per run, and one for the menu."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, run: Path | None) -> Mapping[str, Any]:
        """Return what was kept for a run, or for None the menu; empty if nothing was."""
        with suppress(OSError, ValueError, RecursionError):
            table = json.loads(read_small(self._file(run)))
            if isinstance(table, dict):
                return table
        return {}

    def keep(self, run: Path | None, name: str, value: Any) -> None:
        """Keep one value; if the folder cannot be written to, only a view is lost."""
        from tui_latent.runs.atomic_files import replace_file

        table = {**self.of(run), name: value}
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._file(run), json.dumps(table).encode())

    def _file(self, run: Path | None) -> Path:
        if run is None:
            return self._folder / f"{_MENU}.json"
        import hashlib

        path = str(run.absolute()).encode("utf-8", "surrogateescape")
        return self._folder / f"{hashlib.sha256(path).hexdigest()[:16]}.json"
