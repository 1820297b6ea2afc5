"""The dashboard, opened from the command line."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import click

from tui_latent.cli.options import fail, find_run_or_sweep, plugin_option, runs_option
from tui_latent.preferences.runs_folders import folders_of_runs
from tui_latent.runtime.terminal_kind import moves_cursor


@click.command()
@click.argument("run")
@runs_option
@plugin_option
def attach(run: str, runs: str | None) -> None:
    """Open the dashboard on RUN, whichever process is training it, or the page of a sweep."""
    open_dashboard(runs, find_run_or_sweep(run, runs))


def no_screen() -> str:
    """Return why the dashboard cannot be drawn here; empty if it can."""
    # Textual draws on stderr and reads keys from stdin.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "the dashboard needs a terminal"
    if not moves_cursor():
        kind = os.environ.get("TERM", "")
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
    gc.disable()  # modules are not garbage; `FrozenModules` enables it after the first frame
    from tui_latent.palettes import use_sixteen_colors
    from tui_latent.tui.color_depth import color_depth, use_all_colors
    from tui_latent.tui.terminal_query import asking_the_terminal

    use_all_colors()
    use_sixteen_colors(color_depth(os.environ) == "16")
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
