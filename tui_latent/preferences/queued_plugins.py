"""Which plugins the queued runs may load: kept for each person, outside the folder of runs.

A folder of runs may be shared, and what others write there must not make code run. Whoever queues
a run has named its plugins, and this is noted where only they write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tui_latent.preferences.view_state import cache_folder
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.file_lock import one_at_a_time
from tui_latent.runs.schema import RunError
from tui_latent.runtime.regular_files import read_small

_FILE: Final = "queued-plugins.json"


def note_plugins(run: Path, files: Sequence[str]) -> None:
    """Note the plugin files of a run that is being queued; RunError if that cannot be written."""
    _change(lambda noted: {**noted, _key(run): list(files)})


def noted_plugins(run: Path) -> list[str]:
    """Return the plugin files that were noted when a run was queued; often none."""
    return _read().get(_key(run), [])


def forget_plugins(run: Path) -> None:
    """Remove the note of a run, if there is one; RunError if that cannot be written."""
    key = _key(run)
    if key in _read():
        _change(lambda noted: {run: files for run, files in noted.items() if run != key})


def _key(run: Path) -> str:
    return str(run.resolve())


def _change(change: Callable[[dict[str, list[str]]], dict[str, list[str]]]) -> None:
    file = cache_folder() / _FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(file.with_suffix(".lock")):
            replace_file(file, json.dumps(change(_read()), indent=1).encode())
    except OSError as error:
        raise RunError(
            f"{file}: cannot note the run's plugin for the queue: {error.strerror or error}: train "
            "it now or in the background instead"
        ) from error


def _read() -> dict[str, list[str]]:
    try:
        table: Any = json.loads(read_small(cache_folder() / _FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(table, dict):
        return {}
    return {
        run: [file for file in files if isinstance(file, str)]
        for run, files in table.items()
        if isinstance(files, list)
    }
