"""The commands that list, measure, report and compare runs; heavy imports stay inside them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from tui_latent.cli.options import (
    FAILED,
    STOPPED,
    USAGE,
    fail,
    fail_to_write,
    find_folder,
    json_option,
    plugin_option,
    runs_option,
)


@click.command()
@click.argument("words", metavar="[FILTER]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="List archived runs too.")
@runs_option
@json_option
def runs(words: tuple[str, ...], every: bool, runs: str | None, as_json: bool) -> None:
    """List all runs, or those that match FILTER ('knn>.95' state:failed tag:x), newest first."""
    from tui_latent.cli.run_rows import run_line, run_row
    from tui_latent.preferences.listed_runs import listed_runs
    from tui_latent.preferences.runs_folders import folder_of_runs
    from tui_latent.runs.run_filter import FilterError, parse_filter
    from tui_latent.runs.schema import RunError

    try:
        matches = parse_filter(" ".join(words))
        folder = folder_of_runs(runs)
        found = [run for run in listed_runs(folder, certain=True) if matches(run)]
    except (RunError, FilterError) as error:
        fail(error)
    shown = found if every else [run for run in found if not run.labels.archived]
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "runs": [run_row(s) for s in shown]}))
        return
    if not found and words:
        click.echo(f"no run in {folder} matches '{' '.join(words)}'")
    elif not found:
        click.echo(f"no runs in {folder}; start one with: tui-latent train digits-contrastive-2d")
    for summary in shown:
        click.echo(run_line(summary))
    if hidden := len(found) - len(shown):
        click.echo(f"{hidden} archived: --all lists {'it' if hidden == 1 else 'them'}")


@click.command()
@click.argument("run")
@click.option(
    "--outliers",
    metavar="WHAT",
    help="Also draw a ROC curve against mnist, cifar10, …, folder:PATH, arrays:FILE, "
    "manifest:TABLE or class:NAME.",
)
@runs_option
@plugin_option
@json_option
def evaluate(run: str, outliers: str | None, runs: str | None, as_json: bool) -> None:
    """Measure RUN's newest latents: kNN, linear probe, clusters, collapse, outliers, map."""
    from tui_latent.analysis.evaluation_errors import AssessmentError, OutliersError
    from tui_latent.cli.evaluate import evaluate_in_terminal

    path = find_folder(run, runs)
    try:
        found = evaluate_in_terminal(path, outliers, as_json, sys.stdout, sys.stderr)
    except AssessmentError as error:
        fail(error, USAGE if isinstance(error, OutliersError) else FAILED)
    except KeyboardInterrupt:
        fail("stopped: nothing was written", STOPPED)
    if outliers and "outliers" in found["missing"]:
        fail(f"no ROC curve: {found['missing']['outliers']}", FAILED)


@click.command()
@click.argument("run")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG to write (default: one in RUN's folder).",
)
@runs_option
@plugin_option
@json_option
def report(run: str, out: Path | None, runs: str | None, as_json: bool) -> None:
    """Write RUN's report: a PNG, and its numbers as JSON."""
    from tui_latent.reports import ReportError, export_report

    path = find_folder(run, runs)
    _use_own_colors()
    try:
        png = export_report(path, out)
    except ReportError as error:
        fail_to_write(error, out, "FILE.png")
    if as_json:
        written = {"run": path.name, "png": str(png), "json": str(png.with_suffix(".json"))}
        click.echo(json.dumps(written))
    else:
        click.echo(png)


@click.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG to write (default: one in the first RUN's folder).",
)
@runs_option
@plugin_option
@json_option
def compare(names: tuple[str, ...], out: Path | None, runs: str | None, as_json: bool) -> None:
    """Compare two to eight runs: a table, a PNG, and its numbers as JSON.

    Each run is also compared with the first one image by image: McNemar's test, a bootstrap
    interval of the difference, CKA, and the neighbours that both have in common.
    """
    from tui_latent.analysis.paired_runs import paired_runs
    from tui_latent.cli.comparison_table import comparison_text
    from tui_latent.reports import ReportError, comparison_table, read_comparison, write_comparison

    _use_own_colors()
    paths = [path for name in names if (path := _find_readable(name, runs)) is not None]
    try:
        shown = read_comparison(paths)
    except ReportError as error:
        fail(error)
    paired = paired_runs(shown, lambda words: click.echo(words, err=True))
    if not as_json:
        click.echo(comparison_text(shown, paired))
    try:
        png = write_comparison(shown, out, paired)
    except ReportError as error:
        fail_to_write(error, out, "FILE.png")
    if as_json:
        files = {"png": str(png), "json": str(png.with_suffix(".json"))}
        click.echo(json.dumps(files | comparison_table(shown, curves=False, paired=paired)))
    else:
        click.echo(f"\n{png}")


def _use_own_colors() -> None:
    from tui_latent.palettes import use_class_colors
    from tui_latent.preferences.config_file import config_path, read_preferences

    use_class_colors(read_preferences(config_path())[0].palette)


def _find_readable(run: str, runs: str | None) -> Path | None:
    """Return a run's folder; None, after a message, if this user may not read it."""
    from tui_latent.preferences.runs_folders import find_in_folders
    from tui_latent.runs.manifest import read_manifest
    from tui_latent.runs.schema import RunError, UnreadableError

    try:
        path = find_in_folders(run, runs)
        read_manifest(path)
    except UnreadableError as error:
        click.echo(error, err=True)
        return None
    except RunError as error:
        fail(error)
    return path
