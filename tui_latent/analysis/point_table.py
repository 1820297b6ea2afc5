"""The points of a map as a CSV file: where each image lies, and all that is known about it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.point_columns import columns_of_points
from tui_latent.analysis.point_filter import ConditionError, matching
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.groups import group_of_each, read_groups
from tui_latent.runs.reader import RunReader
from tui_latent.runs.row_ids import read_row_ids
from tui_latent.runs.schema import LatentMap, RunError
from tui_latent.sources.files.columns import Column
from tui_latent.trained_on import read_trained_on

Floats = NDArray[np.float64]


def write_points(
    run: Path, out: Path | None = None, step: int | None = None, where: str = ""
) -> tuple[Path, int]:
    """Write the points of a run's map as CSV; return the file and the number of points.

    `step` is that of an evaluation, by default the newest; `where` chooses points by conditions
    (`point_filter`). The file is by default in the run's folder `reports`. Its columns are image
    (the position in the held-out split), name, label and group, where there are any, x, y, and
    all columns of the table that the images came from. InspectionError says why there are no
    points, or what is wrong with `where`; OSError if the file cannot be written.
    """
    try:
        latent_map = _map_of(run, step)
        names = _names(run, latent_map)
        groups = read_groups(run)
    except RunError as error:
        raise InspectionError(str(error)) from error
    columns = columns_of_points(run, latent_map)
    rows = np.arange(len(latent_map.indices))
    if where:
        try:
            rows = np.flatnonzero(matching(where, columns))
        except ConditionError as error:
            raise InspectionError(str(error)) from error
    indices = np.asarray(latent_map.indices, np.int64)
    of_groups = group_of_each(groups, indices).tolist()
    table: dict[str, Sequence[object]] = {"image": indices.tolist()}
    if names:
        table["name"] = names
    if latent_map.class_names:
        known = dict(enumerate(latent_map.class_names))
        table["label"] = [known.get(label, "") for label in np.asarray(latent_map.labels).tolist()]
    if groups:
        table["group"] = [groups[own].name if own >= 0 else "" for own in of_groups]
    table |= {axis: latent_map.points[:, i].tolist() for i, axis in enumerate("xy")}
    for title, cells in _titled(columns, table).items():
        table[title] = cells
    name = f"{run.name}-points{'-chosen' if where else ''}-{latent_map.step:06d}.csv"
    path = out or run / "reports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, _csv(table, rows).encode())
    return path, len(rows)


def _map_of(run: Path, step: int | None) -> LatentMap:
    reader = RunReader(run)
    snapshot = reader.refresh()
    latent_map = snapshot.map if step is None else reader.map_at(step)
    if latent_map is not None:
        return latent_map
    steps = ", ".join(f"{s:,}" for s in snapshot.map_steps[-8:])
    if step is not None and steps:
        raise InspectionError(f"{run.name} has no map of step {step:,}, only of {steps}")
    raise InspectionError(f"{run.name} has no map yet: the first evaluation writes it")


def _names(run: Path, latent_map: LatentMap) -> list[str]:
    """Return what the source calls each point: a path, an id; empty if it has no names."""
    indices = np.asarray(latent_map.indices, np.int64)
    if of := read_row_ids(run).get("val"):
        return [of.name(i) if i < len(of.rows) else "" for i in indices.tolist()]
    trained_on = read_trained_on(run)
    if trained_on is None or trained_on.places is None:
        return []
    places, parts = trained_on.places, trained_on.identity.parts
    names = parts[places.own_test].names if len(parts) > places.own_test else ()
    if not names or (len(indices) and indices.max() >= len(places.val)):
        return []
    return [names[place] if place < len(names) else "" for place in places.val[indices].tolist()]


def _titled(columns: Sequence[Column], taken: dict[str, Sequence[object]]) -> dict[str, list[str]]:
    """Return the cells of columns by titles that differ from those taken."""
    found: dict[str, list[str]] = {}
    for column in columns:
        title = column.name
        while title in taken or title in found:
            title = f"{title} (column)"
        found[title] = [column.text(row) for row in range(len(column))]
    return found


def _csv(table: dict[str, Sequence[object]], rows: NDArray[np.int64]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    cells = list(table.values())
    writer.writerows([column[row] for column in cells] for row in rows.tolist())
    return text.getvalue()
