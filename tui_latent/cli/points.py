"""`points`: the points of a run's map as a CSV file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tui_latent.cli.options import (
    FAILED,
    fail,
    fail_to_write,
    find_folder,
    json_option,
    runs_option,
)
from tui_latent.nouns import counted


@click.command()
@click.argument("run")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file to write (default: one in RUN's folder).",
)
@click.option("--step", type=int, help="Step of the evaluation (default: the newest).")
@click.option(
    "--where",
    metavar="CONDITIONS",
    default="",
    help="Write only the points that match, such as 'age>60 site=A'.",
)
@runs_option
@json_option
def points(
    run: str, out: Path | None, step: int | None, where: str, runs: str | None, as_json: bool
) -> None:
    """Write the points of RUN's map, with all that is known of each image, as CSV."""
    from tui_latent.analysis.errors import InspectionError
    from tui_latent.analysis.point_table import write_points

    path = find_folder(run, runs)
    try:
        written, count = write_points(path, out, step, where)
    except InspectionError as error:
        fail(error, FAILED)
    except OSError as error:
        fail_to_write(error, out, "FILE.csv")
    if as_json:
        click.echo(json.dumps({"run": path.name, "csv": str(written), "points": count}))
    else:
        click.echo(f"{written}: {counted(count, 'point')}")
