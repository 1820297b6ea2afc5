"""The list of commands, each of which is imported only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final

import click

from tui_latent.cli.options import FAILED, fail
from tui_latent.runtime.left_behind import ending_beside_threads
from tui_latent.runtime.near_names import near_names

COMMANDS: Final = {
    "attach": ("dashboard:attach", "Open the dashboard on RUN, wherever it is being trained."),
    "check-plugin": (
        "check_plugin:check_plugin",
        "Try the methods, networks and sources of FILE.",
    ),
    "compare": ("results:compare", "Compare two to eight runs: a table, a PNG and JSON."),
    "config": ("config:config", "Show your own settings, and the path of their file."),
    "control": ("steering:control", "Pause, resume or stop RUN, or scale its learning rate."),
    "doctor": ("resources:doctor", "Show what this machine offers, and what is missing."),
    "evaluate": ("results:evaluate", "Measure RUN's newest latents, from kNN to outliers."),
    "explain": ("explain:explain", "Explain in sentences how RUN went, with the evidence."),
    "fetch": ("resources:fetch", "Download datasets or pretrained weights."),
    "fork": ("training:fork", "Start a new run from a checkpoint of RUN."),
    "label": ("label:label", "Assign classes to the images of RUN."),
    "open": ("open:open_files", "Explore vectors from FILE, such as .npy, .parquet or .csv."),
    "points": ("points:points", "Write the points of RUN's map as CSV."),
    "presets": ("resources:presets", "List the presets."),
    "report": ("results:report", "Write RUN's report: a PNG, and its numbers as JSON."),
    "resume": ("training:resume", "Resume RUN from its last checkpoint."),
    "runs": ("results:runs", "List all runs, or those that match FILTER."),
    "sweep": ("sweep:sweep", "Train PRESET once for every combination of values."),
    "sweep-report": ("sweep:sweep_report", "Write the report of a sweep: a PNG and CSV."),
    "train": ("training:train", "Train PRESET without the dashboard."),
    "tune": ("steering:tune", "Change settings of RUN while it is training."),
}
"""name -> the function, in a module of `tui_latent.cli`, and the line of `--help`

`--help` imports none of them. A line of up to 60 characters fits 80 columns.
"""


class Commands(click.Group):
    """Commands that report errors of the system and of run folders in one sentence."""

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Run the command line as a program of its own."""
        with ending_beside_threads():
            return super().__call__(*arguments, **settings)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of `--help`."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(import_module(f"tui_latent.cli.{module}"), function)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; the error for one that does not exist names the one like it."""
        name = args[0]
        is_wrong = name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing
        if is_wrong and (near := near_names(name, COMMANDS)):
            ctx.fail(f"No such command '{name}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; exit with one sentence on an error of the system or a run folder."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # as behind `| head`: click ends quietly
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{error.strerror or error}", FAILED)
        except Exception as error:
            # Imported after it was raised: the menu is painted before a run is read.
            from tui_latent.runs.schema import RunError

            if isinstance(error, RunError):
                fail(error, FAILED)
            raise
        finally:
            _tell_failed_plugins(ctx.invoked_subcommand)


def _tell_failed_plugins(command: str | None) -> None:
    """Say on stderr which installed plugins cannot be used, if the command has looked for them."""
    loading = sys.modules.get("tui_latent.plugins.loading")
    if loading is not None and command != "doctor":  # which lists them itself
        from tui_latent.runtime.sanitize import plain_text

        for sentence in loading.failures_to_tell():
            click.echo(plain_text(f"tui-latent: {sentence}"), err=True)
