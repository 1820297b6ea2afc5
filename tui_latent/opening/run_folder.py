"""Makes the run folder of opened vectors: maps, latents, figures, thumbnails and ids."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.neighbourhood_change import K
from tui_latent.image_columns import ImageColumns, write_columns
from tui_latent.metrics.projection import to_plane
from tui_latent.metrics.search_work import affordable
from tui_latent.opening.figures import Figures, measure
from tui_latent.opening.plan import Plan, Tell
from tui_latent.procrustes import align
from tui_latent.runs.best_score import BestScore
from tui_latent.runs.kept_neighbours import write_neighbours
from tui_latent.runs.latents_stream import streamed_latents
from tui_latent.runs.line_files import AppendedLines
from tui_latent.runs.maps import write_map
from tui_latent.runs.new_run import make_run_folder
from tui_latent.runs.process import HOST
from tui_latent.runs.records import record_line
from tui_latent.runs.row_ids import RowIds, write_row_ids
from tui_latent.runs.schema import LatentMap, Status
from tui_latent.runs.status import write_status
from tui_latent.runs.thumbnails import Split
from tui_latent.runtime.limits import cpu_cores
from tui_latent.runtime.sanitize import plain_line
from tui_latent.runtime.versions import version_of
from tui_latent.thumbnail_store import store_thumbnails

_LATER: Final = "this would take minutes for so many vectors: evaluate the run to measure it"


@dataclass(frozen=True, eq=False)
class Step:
    """One file as an evaluation."""

    step: int
    title: str
    shown: NDArray[np.float32]
    """(m, D) the vectors on the map"""
    map: LatentMap
    figures: Figures
    neighbours: NDArray[np.int64] | None
    """(m, k + 1) the nearest on the map of each, itself among them; None if it would take minutes,
    and of a single file"""


@dataclass(frozen=True, eq=False)
class Made:
    """A run folder and what is in it."""

    path: Path
    steps: list[Step]
    told: list[str]
    """sentences about thumbnails that are missing"""


def make_run(plan: Plan, runs: Path, stem: str, name: str | None, command: str, tell: Tell) -> Made:
    """Make the run of opened vectors in `runs`; it appears when it is complete.

    OpenError when a file cannot be read to its end, RunError when the folder cannot be made.
    """
    steps: list[Step] = []
    told: list[str] = []

    def fill(draft: Path) -> None:
        log = AppendedLines(draft / "train.log")
        records = AppendedLines(draft / "metrics.jsonl")
        best = BestScore(draft / "metrics.jsonl")
        status = Status(state="finished", host=HOST, heartbeat=time.time())
        try:
            for number, step in enumerate(plan.steps):
                newest = number == len(plan.steps) - 1
                before = steps[-1].map if steps else None
                made = _step(draft, plan, number, before, newest, tell)
                steps.append(made)
                scores: dict[str, Any] = dict(best.with_values(step, made.figures.metrics))
                status = replace(status, **scores)
                records.append(record_line(step, 0.0, 0.0, made.figures.metrics))
                _log(log, f"step {step:,}: {made.title}")
            for sentence in plan.told:
                _log(log, sentence)
            told.extend(_keep_images(draft, plan, tell))
            for sentence in told:
                _log(log, sentence)
            _keep_ids(draft, plan)
            if plan.columns:
                write_columns(
                    draft,
                    ImageColumns(
                        tuple(column.take(plan.bank) for column in plan.columns),
                        tuple(column.take(plan.queries) for column in plan.columns),
                    ),
                )
            last = plan.steps[-1]
            write_status(draft, replace(status, step=last, total_steps=last))
        finally:
            log.close()
            records.close()

    path = make_run_folder(runs, stem, {}, _provenance(plan, command), name, fill)
    return Made(path, steps, told)


def _provenance(plan: Plan, command: str) -> Mapping[str, Any]:
    return {
        "origin": "opened",
        "command": command,
        "files": [str(file.path.absolute()) for file in plan.files],
        "vectors": len(plan.labels),
        "versions": {"tui-latent": version_of("tui-latent"), "numpy": version_of("numpy")},
    }


def _step(
    draft: Path, plan: Plan, number: int, before: LatentMap | None, newest: bool, tell: Tell
) -> Step:
    file, step = plan.files[number], plan.steps[number]
    searched = len(plan.bank) or len(plan.queries)
    measured = affordable(len(plan.queries), searched, file.dimensions)
    sizes = len(plan.queries), len(plan.bank), file.dimensions
    shown = np.empty((sizes[0], sizes[2]), np.float32)
    bank = np.empty(sizes[1:], np.float32) if measured and len(plan.bank) else None
    stream = streamed_latents(draft, step, *sizes) if newest else nullcontext()
    query_labels, bank_labels = plan.labels[plan.queries], plan.labels[plan.bank]
    with stream as latents:
        for split, places, block, rows in _split_rows(plan, number, tell):
            if split == "query":
                shown[places] = block[rows]
            elif bank is not None:
                bank[places] = block[rows]
            if latents is not None:
                latents.write(split, places, block, rows)
        if latents is not None:
            latents.labels("query", query_labels)
            if len(plan.bank):
                latents.labels("bank", bank_labels)
    tell(f"drawing the map of {file.title}")
    points = to_plane(shown)
    if before is not None:
        points = align(points, before.points.astype(points.dtype))
    classes = len(plan.class_names) if measured else 0
    figures = measure(shown, query_labels, bank, bank_labels if len(plan.bank) else None, classes)
    if plan.class_names and not measured:
        figures.missing.update({f"val/knn_{k}": _LATER for k in (1, 5, 20)})
    latent_map = LatentMap(
        step,
        points.astype(np.float32),
        np.arange(len(points)),
        query_labels,
        plan.class_names,
        "native" if file.dimensions <= 2 else "pca",
    )
    write_map(draft, latent_map, figures.confusion, figures.missing)
    neighbours = None
    if plan.compared and affordable(len(shown), len(shown), file.dimensions):
        tell(f"finding the neighbours of {file.title}")
        neighbours = _neighbours(shown)
        write_neighbours(draft, step, neighbours)
    return Step(step, file.title, shown, latent_map, figures, neighbours)


def _neighbours(shown: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the rows nearest to each row, itself among them, (m, k + 1)."""
    import torch

    from tui_latent.metrics.nearest_neighbours import nearest

    points = torch.from_numpy(shown)
    return nearest(points, points, min(K, len(points) - 1) + 1)[1].numpy()


def _split_rows(
    plan: Plan, number: int, tell: Tell
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]]:
    """Read a file once: yield a split, places in it (n,), and the rows (n,) of a block (N, D) that
    belong there."""
    file = plan.files[number]
    is_query = np.zeros(len(plan.labels), np.bool_)
    is_query[plan.queries] = True
    place = np.where(is_query, is_query.cumsum(), (~is_query).cumsum()) - 1
    vector = np.full(file.rows, -1)
    vector[plan.rows[number]] = np.arange(len(plan.labels))
    done = 0
    for block in file.blocks():
        of_rows = vector[done : done + len(block)]
        known = np.flatnonzero(of_rows >= 0)
        for split, wanted in (("query", True), ("bank", False)):
            rows = known[is_query[of_rows[known]] == wanted]
            if len(rows):
                yield split, place[of_rows[rows]], block, rows
        done += len(block)
        tell(f"reading {file.title}: {done / file.rows:.0%}")


def _keep_images(draft: Path, plan: Plan, tell: Tell) -> list[str]:
    if plan.images is None:
        return []
    told = []
    for split, vectors in _splits(plan):
        if len(vectors):
            rows = plan.image_rows[vectors]

            def show(done: int, of: int) -> None:
                tell(f"shrinking images: {done / of:.0%}")

            pictures, count = _reader(plan, rows), len(rows)
            report = partial(show, of=count)
            kept = store_thumbnails(draft, split, pictures, count, cpu_cores(), report)
            if kept.left_out:
                told.append(kept.left_out)
    return told


def _splits(plan: Plan) -> tuple[tuple[Split, NDArray[np.int64]], ...]:
    return ("val", plan.queries), ("train", plan.bank)


def _reader(plan: Plan, rows: NDArray[np.int64]) -> Callable[[NDArray[np.int64]], Any]:
    assert plan.images is not None
    of = plan.images.of
    return lambda wanted: of(rows[wanted])


def _keep_ids(draft: Path, plan: Plan) -> None:
    """Keep the row of each vector, where it is not its place, and its id."""
    found: dict[Split, RowIds] = {}
    for split, vectors in _splits(plan):
        if len(vectors):
            ids = () if plan.ids is None else tuple(plan.ids[i] for i in vectors.tolist())
            found[split] = RowIds(plan.rows[-1][vectors], ids)
    write_row_ids(draft, found)


def _log(log: AppendedLines, line: str) -> None:
    log.append(
        f"{time.strftime('%H:%M:%S')} {plain_line(line)}".encode("utf-8", "backslashreplace")
    )
