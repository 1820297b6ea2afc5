"""The command for a person's own settings."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click

from tui_latent.cli.options import FAILED, fail, json_option
from tui_latent.preferences.config_file import (
    DEFAULTS,
    SETTINGS,
    as_table,
    config_path,
    read_preferences,
    template,
)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def config(context: click.Context, as_json: bool) -> None:
    """Show your own settings, and the path of their file."""
    if context.invoked_subcommand is not None:
        return
    path = config_path()
    preferences, problems = read_preferences(path)
    table = as_table(preferences)
    problems += _problems_of_keys(table["keys"], path)
    if as_json:
        there = {"path": str(path), "exists": path.exists(), "settings": table}
        click.echo(json.dumps(there | {"problems": problems}))
        return
    exists = path.exists()
    click.echo(
        path if exists else f"{path} (does not exist yet; to create it: tui-latent config edit)"
    )
    usual = as_table(DEFAULTS)
    for setting in SETTINGS:
        value = table[setting.name]
        mark = " " if value == usual[setting.name] else "*"
        click.echo(f"{mark} {setting.name:14} {_written(value):24}  {setting.meaning}")
    click.echo("* changed")
    for problem in problems:
        click.echo(f"problem: {problem}", err=True)


@config.command()
def path() -> None:
    """Print the path of the file."""
    click.echo(config_path())


@config.command()
def edit() -> None:
    """Open the file in $VISUAL or $EDITOR, then check it."""
    path = config_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template(), encoding="utf-8")
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        words = f"{editor} cannot be started ({why}): set EDITOR to another editor, or open {path}"
        fail(f"{words} yourself", FAILED)
    if done.returncode:
        fail(f"{editor} ended with code {done.returncode}: {path} may not have been saved", FAILED)
    _check(path)


@config.command()
def check() -> None:
    """Check the file.

    The exit code is 1 if something in it cannot be used.
    """
    _check(config_path())


def _check(path: Path) -> None:
    preferences, problems = read_preferences(path)
    problems += _problems_of_keys(preferences.keys, path)
    if problems:
        fail("\n".join(problems), FAILED)
    click.echo(f"{path}: {'no problems' if path.exists() else 'does not exist; defaults apply'}")


def _problems_of_keys(keys: Any, path: Path) -> list[str]:
    if not keys:
        return []
    from tui_latent.tui.remapping import keymap_problems

    return [f"{path}: {problem}" for problem in keymap_problems(keys)]


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={keys}" for name, keys in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(value) or "–"
    return str(value) if value != "" else "–"
