"""Options, exit codes and errors of the commands, and how they find a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from tui_latent.runtime.sanitize import plain_text

FAILED, USAGE, STOPPED = 1, 2, 130
"""exit codes other than 0 for success"""

Command = TypeVar("Command", bound=Callable[..., Any])


def fail(message: object, code: int = USAGE) -> NoReturn:
    """Print an error message on stderr and exit."""
    click.echo(f"tui-latent: {plain_text(str(message))}", err=True)
    sys.exit(code)


def runs_option(command: Command) -> Command:
    """Add `--runs DIR`."""
    text = "Folder of the runs (default: $TUI_LATENT_RUNS, else ./runs)."
    return click.option("--runs", metavar="DIR", help=text)(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object as the last line."
    )(command)


def background_option(command: Command) -> Command:
    """Add `--background`."""
    text = "Train in a background process that outlives the terminal."
    return click.option("--background", is_flag=True, help=text)(command)


def plugin_option(command: Command) -> Command:
    """Add `--plugin FILE`, which loads plugins before the command runs."""

    def load(_context: click.Context, _option: click.Parameter, files: tuple[str, ...]) -> None:
        load_plugins(files)

    text = "Python file with a method, network or source of your own; may be repeated."
    option = click.option(
        "--plugin", metavar="FILE", multiple=True, expose_value=False, callback=load, help=text
    )
    return option(command)


def load_plugins(files: Sequence[str]) -> None:
    """Load plugins that were named on the command line; exit if one cannot be used."""
    if not files:
        return
    from tui_latent.plugins.loading import load_file
    from tui_latent.plugins.registry import PluginError

    try:
        for file in files:
            load_file(file)
    except PluginError as error:
        fail(error)


def fail_to_write(error: Exception, out: Path | None, example: str) -> NoReturn:
    """Exit with an error; one of the disk names the option, if the place was not chosen with it."""
    disk = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
    elsewhere = f": -o {example} writes it elsewhere" if disk and out is None else ""
    if isinstance(error, OSError):
        fail(f"{error.filename}: cannot be written: {error.strerror or error}{elsewhere}", FAILED)
    fail(f"{error}{elsewhere}", FAILED)


def find_run_or_sweep(name: str, runs: str | None) -> Path:
    """Return the folder of a sweep, given by path or name, else of a run as `find_folder` does."""
    from tui_latent.preferences.runs_folders import folders_of_runs
    from tui_latent.runs.sweep_folder import is_sweep

    places = [folder / name for folder in folders_of_runs(runs)] if name else []
    return next((path for path in places if is_sweep(path)), None) or find_folder(name, runs)


def find_folder(run: str, runs: str | None) -> Path:
    """Return the folder of a run, given by path, name or `latest`; exit if there is none."""
    from tui_latent.preferences.runs_folders import find_in_folders
    from tui_latent.runs.schema import RunError

    try:
        return find_in_folders(run, runs)
    except RunError as error:
        fail(error)
