"""The commands about presets, datasets and the machine; heavy imports stay inside them."""

from __future__ import annotations

import json
import os
import sys

import click

from tui_latent.cli.options import (
    FAILED,
    fail,
    json_option,
    plugin_option,
    runs_option,
)
from tui_latent.preferences.runs_folders import folder_of_runs
from tui_latent.runtime.sanitize import plain_text


@click.command()
@plugin_option
@json_option
def presets(as_json: bool) -> None:
    """List the presets."""
    from tui_latent.config.preset_files import PresetError, all_presets
    from tui_latent.config.presets import load_preset

    rows = []
    for name in all_presets():
        try:
            preset = load_preset(name)
        except PresetError as error:  # one broken file of the user must not hide the others
            click.echo(plain_text(str(error)), err=True)
            continue
        rows.append(
            {
                "preset": name,
                "title": preset.title,
                "source": preset.data.source,
                "method": preset.method.name,
                "latent_dim": preset.method.latent_dim,
                "supervised": preset.method.supervised,
            }
        )
    if as_json:
        click.echo(json.dumps({"presets": rows}))
        return
    for row in rows:
        click.echo(f"{row['preset']:32} {row['latent_dim']:>4}-D  {row['title']}")


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def fetch(names: tuple[str, ...]) -> None:
    """Download datasets (mnist, …) or weights (resnet18, timm:NAME, open_clip:NAME/TAG)."""
    from tui_latent.datasets.fetch import fetch as fetch_one
    from tui_latent.sources.errors import DataError

    for name in names:
        try:
            where = fetch_one(name, lambda line: click.echo(plain_text(line), err=True))
        except DataError as error:
            fail(error, FAILED)
        click.echo(f"{name} is in {where}")


@click.command()
@runs_option
@plugin_option
@json_option
def doctor(runs: str | None, as_json: bool) -> None:
    """Show what this machine offers: devices, terminal, data folders, versions, a test picture."""
    from tui_latent.tui.terminal_query import asking_the_terminal

    with asking_the_terminal() as answers:
        from tui_latent.cli.doctor import examine
    findings = examine(folder_of_runs(runs), answers)
    if as_json:
        click.echo(json.dumps(findings))
        return
    for topic, facts in findings.items():
        click.echo(topic)
        for name, value in facts.items():
            click.echo(f"  {name:16} {value}")
    if sys.stdout.isatty():
        from tui_latent.cli.pictures import drawings
        from tui_latent.tui.color_depth import color_depth

        colored = color_depth(os.environ) != "none"
        for name, drawing in drawings(answers.ways, colored, bool(answers.light)):
            click.echo(f"\nimages: {name}")
            click.echo(drawing, nl=False)
