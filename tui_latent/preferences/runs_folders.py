"""Which folders of runs commands, the dashboard and scripts use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tui_latent.preferences.config_file import config_path, read_preferences

# The list of runs is imported in functions: the menu is painted before it reads one.


def folder_of_runs(option: str | None = None) -> Path:
    """Return the folder of new runs: the first of `folders_of_runs`."""
    return folders_of_runs(option)[0]


def folders_of_runs(option: str | None = None) -> list[Path]:
    """Return the folders of runs, that of new runs first.

    They are the one given, else $TUI_LATENT_RUNS, else those of the config file, else ./runs.
    RunError if one of them names a user who does not exist.
    """
    named: tuple[str, ...] = ()
    if not (option or os.environ.get("TUI_LATENT_RUNS")):
        named = read_preferences(config_path())[0].runs_folders
    return [runs_folder(name) for name in named] or [runs_folder(option)]


def runs_folder(option: str | None) -> Path:
    """Return the folder of runs: the one given, else `$TUI_LATENT_RUNS`, else `./runs`.

    RunError if `~user` does not exist.
    """
    named = option or os.environ.get("TUI_LATENT_RUNS") or "runs"
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        from tui_latent.runs.schema import RunError

        raise RunError(f"{named}: no folder of runs: {error}") from error


def find_in_folders(run: str, option: str | None = None) -> Path:
    """Return the folder of a run, given by path, name or `latest`, in the first folder that has it.

    `latest` is the newest run of the first folder. RunError if there is none.
    """
    from tui_latent.runs.run_list import LATEST, find_run
    from tui_latent.runs.schema import RunError

    first, *others = folders_of_runs(option)
    if run == LATEST:
        from tui_latent.preferences.listed_runs import index_of

        index_of(first)
    try:
        return find_run(first, run)
    except RunError:
        for folder in others if run != LATEST else ():
            with contextlib.suppress(RunError):
                return find_run(folder, run)
        raise
