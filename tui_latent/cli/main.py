"""The command line: the group of commands, and the dashboard.

The commands are in `training.py`, `sweep.py`, `open.py`, `label.py`, `steering.py`, `results.py`,
`points.py`, `explain.py`, `config.py`, `check_plugin.py` and `resources.py`; heavy imports stay
inside them.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from tui_latent.cli import (
    check_plugin,
    config,
    explain,
    label,
    points,
    resources,
    results,
    steering,
    sweep,
    training,
)
from tui_latent.cli import open as opening
from tui_latent.cli.options import (
    FAILED,
    fail,
    find_run_or_sweep,
    load_plugins,
    plugin_option,
    runs_option,
)
from tui_latent.preferences.runs_folders import folders_of_runs
from tui_latent.runs.schema import RunError
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores


class _Commands(click.Group):
    """Commands that report errors of the system and of run folders in one sentence."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError:  # as behind `| head`: click ends quietly
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{error.strerror or error}", FAILED)
        except RunError as error:
            fail(error, FAILED)
        finally:
            _tell_failed_plugins(context.invoked_subcommand)


def _tell_failed_plugins(command: str | None) -> None:
    """Say on stderr which installed plugins cannot be used, if the command has looked for them."""
    loading = sys.modules.get("tui_latent.plugins.loading")
    if loading is not None and command != "doctor":  # which lists them itself
        from tui_latent.runtime.sanitize import plain_text

        for sentence in loading.failures_to_tell():
            click.echo(plain_text(f"tui-latent: {sentence}"), err=True)


@click.group(
    cls=_Commands,
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
        open_dashboard(runs)


@main.command()
@click.argument("run")
@runs_option
@plugin_option
def attach(run: str, runs: str | None) -> None:
    """Open the dashboard on RUN, whichever process trains it, or the page of a sweep."""
    open_dashboard(runs, find_run_or_sweep(run, runs))


_MODULES = (
    *(training, sweep, opening, label, steering, results, points, explain, resources, config),
    check_plugin,
)
for module in _MODULES:
    for command in module.COMMANDS:
        main.add_command(command)


def no_screen() -> str:
    """Return why the dashboard cannot be drawn here; empty if it can."""
    # Textual draws on stderr and reads keys from stdin.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "the dashboard needs a terminal"
    if (kind := os.environ.get("TERM", "")) in ("", "dumb", "unknown"):
        return f"the dashboard needs a terminal with a cursor, but TERM is '{kind}'"
    if "utf" not in sys.stderr.encoding.lower():
        return (
            "the dashboard needs UTF-8, but this locale uses "
            f"{sys.stderr.encoding}: export LC_ALL=C.UTF-8"
        )
    return ""


def open_dashboard(runs: str | None, *paths: Path) -> None:
    """Open the dashboard on a run, on a comparison of several, or on the menu; exit when it is
    closed."""
    if problem := no_screen():
        fail(
            f"{problem}; without the dashboard, use\n"
            "  tui-latent presets        list the presets\n"
            "  tui-latent train PRESET   train one and print its progress\n"
            "  tui-latent runs           list the runs"
        )
    from tui_latent.tui.color_depth import use_all_colors
    from tui_latent.tui.terminal_query import asking_the_terminal

    use_all_colors()
    with asking_the_terminal() as answers:  # it answers while Textual is being imported
        from tui_latent.preferences.config_file import config_path
        from tui_latent.preferences.kept import Kept
        from tui_latent.preferences.view_state import cache_folder
        from tui_latent.tui.app import LatentApp

        kept = Kept(config_path(), cache_folder())
    first, *others = folders_of_runs(runs)
    light = bool(answers.light)
    only = paths[0] if len(paths) == 1 else None
    compared = paths if only is None else ()
    app = LatentApp(
        first, other_runs=others, open_path=only, compared=compared, kept=kept, light=light
    )
    app.heed_terminal(answers.ways[0], answers.typed)
    sys.exit(app.run() or 0)
