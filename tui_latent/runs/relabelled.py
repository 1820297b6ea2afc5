"""Rewrites the labels in a run's files, each in one piece: latents, maps and records."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file, temporary_beside
from tui_latent.runs.curve_cache import NAME as CURVES_FILE
from tui_latent.runs.latents_file import LATENTS_FILE
from tui_latent.runs.line_files import read_lines
from tui_latent.runs.maps import MapError, map_file, map_step, read_map, write_map
from tui_latent.runs.records import parse_record, record_line
from tui_latent.runs.thumbnails import Split
from tui_latent.runtime.tensor_files import tensor_places

Labels = NDArray[np.int64]
_TENSORS: Final[dict[Split, str]] = {"val": "query_labels", "train": "bank_labels"}
_METRICS: Final = "metrics.jsonl"


def write_latent_labels(run: Path, labels: Mapping[Split, Labels]) -> None:
    """Replace the labels in the newest latents, which are copied as they are, however many.

    ValueError if the file is damaged, or has labels of another length; OSError.
    """
    path = run / LATENTS_FILE
    places, _ = tensor_places(path)
    temporary = temporary_beside(path)
    try:
        shutil.copyfile(path, temporary)
        with temporary.open("r+b") as file:
            for split, tensor in _TENSORS.items():
                if tensor not in places:
                    continue
                place = places[tensor]
                if place.shape != labels[split].shape:
                    raise ValueError(f"{path}: {tensor} has shape {place.shape}")
                file.seek(place.start)
                file.write(labels[split].astype(place.dtype).tobytes())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_map_labels(run: Path, labels: Labels, names: tuple[str, ...], before: int) -> None:
    """Replace the labels and class names of every map whose images the labels are of.

    `before` is the number of classes that stay as they were: a confusion matrix keeps what it
    counted of them. OSError.
    """
    for file in sorted((run / "latents").iterdir()):
        step = map_step(file.name)
        if step is None:
            continue
        try:
            stored = read_map(map_file(run, step), step)
        except MapError:
            continue  # the reader names it
        indices = stored.map.indices
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(labels):
            continue  # of other images
        of_map = replace(stored.map, labels=labels[indices], class_names=names)
        confusion = _resized(stored.confusion, len(names), before)
        missing = stored.missing
        if not names:
            missing = {k: why for k, why in missing.items() if not k.startswith("val/knn_")}
        write_map(run, of_map, confusion, missing)


def write_map_votes(
    run: Path, step: int, confusion: NDArray[np.int64] | None, missing: Mapping[str, str]
) -> None:
    """Replace what the map of a step says about kNN; OSError."""
    with suppress(MapError):
        stored = read_map(map_file(run, step), step)
        others = {k: why for k, why in stored.missing.items() if not k.startswith("val/knn_")}
        write_map(run, stored.map, confusion, others | dict(missing))


def write_votes(run: Path, step: int, votes: Mapping[str, float]) -> None:
    """Put kNN's accuracies into the record of the evaluation at a step, in place of earlier ones.

    All other lines stay as they are. Where no record has that evaluation, one is added after the
    last record up to that step. OSError.
    """
    path = run / _METRICS
    lines = [line for _, line in read_lines(path, 0)] if path.is_file() else []
    records = [parse_record(line) for line in lines]
    at_step = [i for i, record in enumerate(records) if record and record.step == step]
    measured = [i for i in at_step if _is_evaluation(lines[i])]
    for i in at_step:
        lines[i] = _without_votes(lines[i])
    if measured:
        lines[measured[-1]] = _with(lines[measured[-1]], votes)
    elif votes:
        up_to = [i for i, r in enumerate(records) if r and not r.late and r.step <= step]
        time = records[up_to[-1]].time if up_to else 0.0  # type: ignore[union-attr]
        place = up_to[-1] + 1 if up_to else 0
        lines.insert(place, record_line(step, 0.0, time, votes))
    replace_file(path, b"".join(line + b"\n" for line in lines), durable=True)
    (run / CURVES_FILE).unlink(missing_ok=True)  # it is made from the records


def _is_evaluation(line: bytes) -> bool:
    return b'"latent/' in line or b'"val/' in line


def _without_votes(line: bytes) -> bytes:
    return _changed(line, {}) if b'"val/knn_' in line else line


def _with(line: bytes, votes: Mapping[str, float]) -> bytes:
    return _changed(line, votes) if votes else line


def _changed(line: bytes, votes: Mapping[str, float]) -> bytes:
    table: dict[str, Any] = json.loads(line)
    kept = {name: value for name, value in table.items() if not name.startswith("val/knn_")}
    return json.dumps(kept | dict(votes), separators=(",", ":")).encode()


def _resized(
    confusion: NDArray[np.int64] | None, classes: int, before: int
) -> NDArray[np.int64] | None:
    """Return a confusion matrix of another number of classes, of which the first stay."""
    if confusion is None or not before:
        return None
    kept = min(before, len(confusion), classes)
    wide = np.zeros((classes, classes), dtype=np.int64)
    wide[:kept, :kept] = confusion[:kept, :kept]
    return wide
