"""The command that tries out a plugin; heavy imports stay inside it."""

from __future__ import annotations

import json
import sys

import click

from tui_latent.cli.options import FAILED, fail, json_option
from tui_latent.nouns import counted
from tui_latent.runtime.sanitize import plain_text


@click.command("check-plugin")
@click.argument("file", metavar="FILE.py")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set what a method or source requires: method.teacher=large.",
)
@json_option
def check_plugin(file: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Try the methods, networks and sources of FILE, and report what fails.

    Methods and networks are trained for ten steps on digits, and sources are read. The exit code
    is 0 if everything is right.
    """
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.plugin_check import check_plugin as check_all
    from tui_latent.plugins.loading import load_file
    from tui_latent.plugins.registry import PluginError
    from tui_latent.training.device import limit_threads

    try:
        plugin = load_file(file)
        limit_threads()
        found = check_all(plugin, dict(parse_override(text) for text in settings))
    except (PluginError, PresetError) as error:
        fail(error)
    problems = [check for checks in found.values() for check in checks if check.problem]
    if as_json:
        parts = [
            {
                "kind": kind,
                "name": name,
                "checks": [
                    {"check": check.title, "problem": check.problem, "tried": check.tried}
                    for check in checks
                ],
            }
            for (kind, name), checks in found.items()
        ]
        click.echo(json.dumps({"plugin": plugin.file, "parts": parts, "ok": not problems}))
    else:
        for (kind, name), checks in found.items():
            click.echo(plain_text(f"{kind} {name}"))
            for check in checks:
                word = "FAILED" if check.problem else "ok" if check.tried else "not tried"
                click.echo(f"  {word:9} {check.title}")
                if check.problem:
                    click.echo(plain_text(f"            {check.problem}"))
        count = len(problems)
        click.echo(counted(count, "problem") if count else "everything is right")
    if problems:
        sys.exit(FAILED)
