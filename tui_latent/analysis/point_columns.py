"""What a table says about the images on a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tui_latent.analysis.errors import InspectionError
from tui_latent.image_columns import read_columns
from tui_latent.runs.schema import LatentMap, RunError
from tui_latent.sources.files.columns import Column


def columns_of_points(run: Path, latent_map: LatentMap) -> tuple[Column, ...]:
    """Return the columns of a run's images, a value for each point of a map; none without a table.

    InspectionError if the file is damaged or of other images.
    """
    try:
        columns = read_columns(run).val
    except RunError as error:
        raise InspectionError(str(error)) from error
    rows = np.asarray(latent_map.indices, np.int64)
    if columns and len(rows) and int(rows.max()) >= len(columns[0]):
        raise InspectionError(f"{run.name}: its columns are of fewer images than its map")
    return tuple(column.take(rows) for column in columns)
