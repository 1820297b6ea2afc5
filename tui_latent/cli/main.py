"""The command line: the group of commands in `commands.py`; without one, the dashboard opens."""

from __future__ import annotations

import io
import sys

import click

from tui_latent.cli.commands import Commands
from tui_latent.cli.options import load_plugins, runs_option
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="tui-latent")
@runs_option
@click.option(
    "--plugin",
    "plugins",
    metavar="FILE",
    multiple=True,
    help="Python file with a method, network or source of your own; may be repeated.",
)
@click.pass_context
def main(context: click.Context, runs: str | None, plugins: tuple[str, ...]) -> None:
    """Train models of a low-dimensional latent space of images, and watch it form.

    Without a command, the dashboard opens.
    """
    keep_freed_memory()
    limit_spinning()
    number_by_bus()
    use_allowed_cores()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale without – or ● must not end a command
            stream.reconfigure(errors="replace")
    load_plugins(plugins)  # after the settings that must be made before torch is imported
    if context.invoked_subcommand is None:
        from tui_latent.cli.dashboard import open_dashboard

        open_dashboard(runs)
    elif runs is not None:  # given before the command: the same as after it
        context.default_map = {context.invoked_subcommand: {"runs": runs}}
