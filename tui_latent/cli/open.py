"""The command that opens files of vectors as a run; heavy imports stay inside it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from tui_latent.cli.options import (
    FAILED,
    STOPPED,
    fail,
    json_option,
    runs_option,
)
from tui_latent.preferences.runs_folders import folder_of_runs
from tui_latent.runtime.sanitize import plain_text

if TYPE_CHECKING:
    from tui_latent.opening.plan import Plan, Tell
    from tui_latent.opening.run_folder import Made

_LINE: Final = 78
"""cells of the progress line"""


@click.command("open")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--labels",
    metavar="FILE|COLUMN",
    help="Classes of the rows: a .npy, .csv, .tsv or .txt file, or a column of FILE.",
)
@click.option(
    "--images",
    metavar="DIR|COLUMN",
    help="Images of the rows: a folder, or a column of FILE with paths or images.",
)
@click.option(
    "--ids",
    metavar="FILE|COLUMN",
    help="Ids that join rows, labels and images (default: a column id or path, else by row).",
)
@click.option("--name", help="Name of the run (default: the time and the file's name).")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["steps", "runs"]),
    default="steps",
    help="Several files are steps of one run (the default), or runs to compare.",
)
@runs_option
@json_option
def open_files(
    files: tuple[str, ...],
    labels: str | None,
    images: str | None,
    ids: str | None,
    name: str | None,
    kind: str,
    runs: str | None,
    as_json: bool,
) -> None:
    """Open vectors from FILE (.npy, .npz, .safetensors, .parquet, .csv, .tsv) and explore them.

    The vectors become a run without training. FILE:NAME names an array or a column of a file
    that has several. Without a terminal, or with --json, the run is made and not opened.
    """
    from tui_latent.cli.dashboard import no_screen, open_dashboard
    from tui_latent.comparison import MOST_RUNS
    from tui_latent.opening.errors import OpenError
    from tui_latent.opening.plan import Asked, make_plan, one_by_one
    from tui_latent.opening.run_folder import make_run
    from tui_latent.opening.stems import run_names, stems
    from tui_latent.runs.schema import RunError
    from tui_latent.thumbnail_store import ThumbnailError

    folder = folder_of_runs(runs)
    command = shlex.join(["tui-latent", *sys.argv[1:]])
    try:
        with _telling(sys.stderr) as tell:
            plan = make_plan(Asked(files, labels, images, ids), tell)
            plans = one_by_one(plan) if kind == "runs" else [plan]
            names = run_names(folder, plans, name)
            made = [
                make_run(part, folder, stem, called, command, tell)
                for part, stem, called in zip(plans, stems(plans), names, strict=True)
            ]
            tell("comparing neighbours")
            found = _results(plan, made)
    except (OpenError, RunError, ThumbnailError) as error:
        fail(error, FAILED)
    except KeyboardInterrupt:
        fail("stopped: nothing more was written", STOPPED)
    for line in _told(plan, made, found, runs) if not as_json else [json.dumps(found)]:
        click.echo(plain_text(line) if not as_json else line)
    if as_json or no_screen():
        return
    open_dashboard(runs, *(run.path for run in made[:MOST_RUNS]))


def _results(plan: Plan, made: list[Made]) -> dict[str, Any]:
    """Return what was made as JSON types."""
    from tui_latent.opening.movers import movers

    steps = [step for run in made for step in run.steps]
    changed = movers(plan, steps[0], steps[-1]) if len(steps) > 1 else None
    return {
        "runs": [
            {
                "name": run.path.name,
                "path": str(run.path),
                "steps": [
                    {
                        "step": step.step,
                        "file": step.title,
                        "dimensions": int(step.shown.shape[1]),
                        "metrics": step.figures.metrics,
                        "missing": step.figures.missing,
                    }
                    for step in run.steps
                ],
            }
            for run in made
        ],
        "vectors": len(plan.labels),
        "on_map": len(plan.queries),
        "classes": list(plan.class_names),
        "notes": plan.told + [sentence for run in made for sentence in run.told],
        "first_rows": plan.first_rows,
        "movers": changed,
    }


def _told(plan: Plan, made: list[Made], found: dict[str, Any], runs: str | None) -> list[str]:
    """Return what was made in lines for people; `runs` is the folder of runs they asked for."""
    from tui_latent.nouns import counted
    from tui_latent.opening.movers import in_words

    lines = []
    for run in made:
        for step in run.steps:
            knn = step.figures.metrics.get("val/knn_20")
            accuracy = f", kNN@20 {knn:.3f}" if knn is not None else ""
            at = f"step {step.step:,}: " if len(run.steps) > 1 else ""
            numbers = counted(step.shown.shape[1], "number")
            size = f"{len(plan.labels):,} vectors of {numbers}"
            lines.append(f"{at}{step.title}: {size}{accuracy}")
    lines += found["notes"]
    lines.append("first rows:")
    lines += [f"  {row}" for row in found["first_rows"]]
    if found["movers"] is not None:
        lines += in_words(found["movers"])
    lines += [f"run {run.path}" for run in made]
    if len(made) > 1:
        words = ["tui-latent", "compare", *(run.path.name for run in made)]
        words += ["--runs", runs] if runs else []
        lines.append(f"compare them: {shlex.join(words)}")
    return lines


@contextmanager
def _telling(stream: TextIO) -> Iterator[Tell]:
    """Show progress in one line of a terminal, and nothing elsewhere."""
    shown = ""

    def tell(words: str) -> None:
        nonlocal shown
        if words != shown and stream.isatty():
            shown = words
            stream.write(f"\r{plain_text(words)[:_LINE]:<{_LINE}}")
            stream.flush()

    try:
        yield tell
    finally:
        if shown:
            stream.write(f"\r{' ' * _LINE}\r")
            stream.flush()
