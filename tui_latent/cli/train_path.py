"""Train a run for a command: its progress, its result and its exit code."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from tui_latent.cli.options import FAILED, STOPPED, USAGE, fail
from tui_latent.runs.command_word import command_word
from tui_latent.runtime.launcher import place


def train_path(path: Path, as_json: bool, background: bool) -> None:
    """Train or resume the run at `path`, here or in the background; exits unless it finishes."""
    from tui_latent.launch.background import start_in_background
    from tui_latent.launch.progress import train_with_progress
    from tui_latent.runs.schema import RunError

    try:
        if background:
            _print_started(path, start_in_background(path), as_json)
            return
        result = train_with_progress(path, as_json)
    except RunError as error:
        fail(error, FAILED)
    if as_json:
        click.echo(json.dumps(result))
    if result["state"] == "failed":
        fail(f"{path.name}: {result['error']}", USAGE if result["step"] == 0 else FAILED)
    if result["state"] == "stopped" and place().world > 1:
        return  # any other code than 0 would let the launcher start the processes again
    if result["state"] == "stopped":
        words = shlex.join(["tui-latent", "resume", str(path), *_plugins(path)])
        click.echo(f"stopped; to continue: {words}", err=True)
        sys.exit(STOPPED)


def _plugins(path: Path) -> list[str]:
    """Return the words that name the run's plugins on a command line."""
    from tui_latent.config.plugin_needs import files_needed

    return [word for file in files_needed(path) for word in ("--plugin", file)]


def _print_started(path: Path, pid: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"run": path.name, "path": str(path), "pid": pid}))
        return
    plugins = "".join(f" {word}" for word in map(shlex.quote, _plugins(path)))
    word = command_word(path)
    click.echo(
        f"{path.name} is training in the background (PID {pid})\n"
        f"  tui-latent attach {word}{plugins}        show it\n"
        f"  tui-latent control {word} stop  stop and save it"
    )
