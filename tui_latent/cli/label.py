"""The command that gives the images of a run classes; heavy imports stay inside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_latent.cli.options import FAILED, fail, find_folder, json_option, runs_option
from tui_latent.nouns import counted
from tui_latent.runtime.sanitize import plain_name, plain_text

if TYPE_CHECKING:
    from tui_latent.launch.label import Labelled

_NAMED = 10
"""unknown images that are printed"""


@click.command()
@click.argument("run")
@click.option(
    "--csv",
    "file",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Two columns, with or without a header: the path or index of an image, and its class.",
)
@runs_option
@json_option
def label(run: str, file: Path, runs: str | None, as_json: bool) -> None:
    """Assign classes to the images of RUN, so that kNN is measured and the map has colours.

    The run may have been trained without labels, watched, or opened from files. An image is named
    by its path, by its id, or by its index: its row in the file that it is from, as `7`, or as
    `train/7` or `val/7` where training and held-out images are numbered apart. A later FILE
    replaces the classes of an earlier one; one with only a header takes them away. Training never
    sees these classes.
    """
    from tui_latent.launch.label import label_run
    from tui_latent.runs.schema import RunError

    path = find_folder(run, runs)
    try:
        found = label_run(path, file)
    except RunError as error:
        fail(error, FAILED)
    for line in _unknown(found):
        click.echo(plain_text(line), err=True)
    if as_json:
        click.echo(json.dumps(_table(found)))
    else:
        click.echo("\n".join(map(plain_text, _lines(found))))


def _unknown(found: Labelled) -> list[str]:
    if not found.unknown:
        return []
    count = len(found.unknown)
    lines = [f"{count:,} name{'s match' if count > 1 else ' matches'} no image of {found.run}:"]
    lines += [f"  {plain_name(name)}" for name in found.unknown[:_NAMED]]
    return [*lines, *([f"  … and {count - _NAMED:,} more"] if count > _NAMED else [])]


def _lines(found: Labelled) -> list[str]:
    words = {"train": "training", "val": "held-out"}
    counts = [
        f"{found.labelled[split]:,} of {count:,} {words[split]} images"
        for split, count in found.images.items()
        if count
    ]
    have = "has" if sum(found.labelled.values()) == 1 else "have"
    lines = [f"{found.run}: {' and '.join(counts)} {have} a class"]
    if found.class_names:
        lines[0] += f" ({len(found.class_names):,}: {_some(found.class_names)})"
    if found.unused:
        were = "was" if found.unused == 1 else "were"
        lines.append(f"{counted(found.unused, 'image')} in the file {were} not used by the run")
    if found.metrics:
        shown = [f"kNN@{name.rpartition('_')[2]} {v:.4f}" for name, v in found.metrics.items()]
        lines.append(f"step {found.step:,}: {', '.join(shown)}")
    from tui_latent.runs.missing import missing_lines

    lines += [f"missing: {line}" for line in missing_lines(found.missing)]
    return lines


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")


def _table(found: Labelled) -> dict[str, object]:
    return {
        "run": found.run,
        "step": found.step,
        "classes": list(found.class_names),
        "labelled": dict(found.labelled),
        "images": dict(found.images),
        "unknown": list(found.unknown),
        "unused": found.unused,
        "metrics": dict(found.metrics),
        "missing": dict(found.missing),
    }
