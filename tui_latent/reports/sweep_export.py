"""Write a sweep's report: a PNG, and two CSVs, of its runs and of its settings."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_latent.compared_maps import ComparedMap, compared_maps
from tui_latent.reports.export import ReportError, drawn_png, require_png
from tui_latent.reports.sweep_figure import draw_sweep
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap, RunError
from tui_latent.sweeps.groups import Group, grouped, verdict
from tui_latent.sweeps.reading import SweepReader, SweepSnapshot

_MAPS = 8
"""settings whose maps are drawn"""


def export_sweep(
    path: Path, metric: str | None = None, out: Path | None = None
) -> tuple[Path, ...]:
    """Write the report of the sweep at `path`, live or ended; return the PNG's and CSVs' paths.

    The PNG is `out`, or `reports/<time>-sweep.png` in the sweep's folder; beside it are
    `….csv`, a line for each run, and `…-settings.csv`, a line for each combination of settings.
    `metric` ranks them; None for the sweep's own. ReportError says what prevents it.
    """
    try:
        sweep = SweepReader(path).refresh()
    except RunError as error:
        raise ReportError(str(error)) from error
    known = [spec.name for spec in sweep.metrics]
    if metric is not None and metric not in known:
        raise ReportError(
            f"{path.name}: no run has recorded {metric}: choose one of {', '.join(known) or 'none'}"
        )
    metric = metric or sweep.metric
    groups = grouped(sweep, metric)
    png = out or path / "reports" / f"{datetime.now():%Y%m%d-%H%M%S}-sweep.png"
    require_png(png)
    maps = best_maps(groups, metric)
    words = verdict(groups, metric)
    image = drawn_png(lambda: draw_sweep(sweep, metric, groups, words, maps), sweep.name)
    runs, settings = png.with_suffix(".csv"), png.with_name(f"{png.stem}-settings.csv")
    try:
        png.parent.mkdir(parents=True, exist_ok=True)
        replace_file(runs, _text(run_rows(sweep)))
        replace_file(settings, _text(group_rows(sweep, groups, metric)))
        replace_file(png, image)
    except OSError as error:
        raise ReportError(f"{png}: cannot be written: {error.strerror or error}") from error
    return png, runs, settings


def best_maps(groups: Sequence[Group], metric: str) -> list[tuple[Group, ComparedMap]]:
    """Return the maps of the best settings' best runs, aligned to the first."""
    found: list[tuple[Group, LatentMap]] = []
    for group in groups:
        row = group.best_row(metric)
        if row is None or len(found) == _MAPS:
            continue
        try:
            latent_map = RunReader(row.path).refresh().map
        except RunError:
            continue
        if latent_map is not None:
            found.append((group, latent_map))
    aligned = compared_maps([latent_map for _, latent_map in found])
    return [(group, compared) for (group, _), compared in zip(found, aligned, strict=True)]


def run_rows(sweep: SweepSnapshot) -> list[list[Any]]:
    """Return the table of runs: what was set, how it ended, every metric as recorded."""
    keys = _keys(sweep)
    names = [spec.name for spec in sweep.metrics]
    rows: list[list[Any]] = [["run", *keys, "state", "step", "seconds", *names]]
    for row in sweep.rows:
        values = [_plain(row.run.values.get(key)) for key in keys]
        figures = [row.metrics.get(name, "") for name in names]
        seconds = round(row.status.seconds, 3)
        rows.append([row.run.name, *values, row.state, row.status.step, seconds, *figures])
    return rows


def group_rows(sweep: SweepSnapshot, groups: Sequence[Group], metric: str) -> list[list[Any]]:
    """Return the table of settings: mean and deviation over seeds, the difference's interval."""
    keys = [key for key in _keys(sweep) if any(key in group.values for group in groups)]
    head = [*keys, "runs", f"mean {metric}", "standard deviation"]
    rows: list[list[Any]] = [[*head, "minus the best, low", "minus the best, high"]]
    for group in groups:
        low, high = group.difference or ("", "")
        mean = group.value if group.value is not None else ""
        deviation = group.spread.deviation if group.spread.deviation is not None else ""
        values = [_plain(group.values.get(key)) for key in keys]
        rows.append([*values, group.spread.count, mean, deviation, low, high])
    return rows


def _keys(sweep: SweepSnapshot) -> list[str]:
    return list(dict.fromkeys(key for row in sweep.rows for key in row.run.values))


def _plain(value: Any) -> Any:
    return "" if value is None else value


def _text(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")
