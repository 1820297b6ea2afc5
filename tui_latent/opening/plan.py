"""What is to be opened: files, how their rows belong together, labels, images, and a sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.opening.columns import (
    Beside,
    ClassLabels,
    as_ids,
    beside,
    joined_labels,
)
from tui_latent.opening.errors import OpenError
from tui_latent.opening.files import open_file
from tui_latent.opening.further_columns import further_columns
from tui_latent.opening.images import ImagesOfRows, images_of
from tui_latent.opening.join import join, unusable
from tui_latent.opening.vectors import VectorFile
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.files.columns import Column

MOST_ON_MAP: Final = 20_000
"""vectors on a map; if there are more, a sample is drawn, and the others are the bank of
neighbours"""
_SEED: Final = 0
_NUMBER: Final = re.compile(r"\d+")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What a person asked to open."""

    files: tuple[str, ...]
    labels: str | None = None
    images: str | None = None
    ids: str | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Vectors of the same things in one file or several."""

    files: list[VectorFile]
    steps: list[int]
    """(files,) rising"""
    rows: list[NDArray[np.int64]]
    """of each file: (n,) its row of each vector"""
    ids: list[str] | None
    """(n,)"""
    labels: NDArray[np.int64]
    """(n,); UNLABELLED without a class"""
    class_names: tuple[str, ...]
    images: ImagesOfRows | None
    image_rows: NDArray[np.int64]
    """(n,) rows of the file that the images belong to"""
    queries: NDArray[np.int64]
    """(m,) the vectors that maps show, rising"""
    bank: NDArray[np.int64]
    """(n - m,) the others; empty where maps show all"""
    told: list[str]
    """sentences for the output and the log: what was joined, left out and drawn"""
    first_rows: list[str]
    """the first vectors with id, label and image, to see whether they were joined as meant"""
    compared: bool
    """whether there are several files, whose neighbours are compared"""
    columns: tuple[Column, ...]
    """what the files say about the vectors otherwise, n values each"""


def make_plan(asked: Asked, tell: Tell) -> Plan:
    """Open the files and join their rows with ids, labels and images; OpenError says why not."""
    taken = [name for name in (asked.labels, asked.images, asked.ids) if name is not None]
    files = [open_file(named, taken) for named in asked.files]
    steps, files = _in_order(files)
    ids, told = _ids(files, asked.ids)
    labels, label_file, words = _labels(files, asked.labels, ids)
    told += words
    images, image_file = _images(files, asked.images, ids)
    broken = []
    for file in files:

        def show(done: int, file: VectorFile = file) -> None:
            tell(f"checking {file.title}: {done / file.rows:.0%}")

        broken.append(unusable(file, show))
    joined = join(files, ids, broken)
    columns, words = further_columns(files, taken, joined.rows)
    told += [*words, *joined.told]
    count = len(joined.rows[0])
    queries, bank = _drawn(count)
    if len(bank):
        told.append(
            f"the map shows a sample of {len(queries):,} of {count:,} vectors; the other "
            f"{len(bank):,} are searched for neighbours"
        )
    if images is not None:
        told.append(f"images: {images.told}")
    of_vectors = np.full(count, UNLABELLED)
    names: tuple[str, ...] = ()
    if labels is not None:
        of_vectors, names = labels.labels[joined.rows[label_file]], labels.names
    plan = Plan(
        files,
        steps,
        joined.rows,
        joined.ids,
        of_vectors,
        names,
        images,
        joined.rows[image_file],
        queries,
        bank,
        told,
        [],
        len(files) > 1,
        columns,
    )
    plan.first_rows.extend(_first_rows(plan))
    return plan


def _in_order(files: list[VectorFile]) -> tuple[list[int], list[VectorFile]]:
    """Return the step of each file and the files by their steps.

    Names that differ in one number, as `step-100.npy` and `step-200.npy` do, say the steps.
    Otherwise the files are steps 0, 1, 2, … as they were named.
    """
    titles = [file.title for file in files]
    numbers = [[int(text) for text in _NUMBER.findall(title)] for title in titles]
    same_text = len({_NUMBER.sub("#", title) for title in titles}) == 1
    if same_text and len(files) > 1:
        columns = list(zip(*numbers, strict=True))
        differing = [column for column in columns if len(set(column)) > 1]
        if len(differing) == 1 and len(set(differing[0])) == len(files):
            steps = differing[0]
            if max(steps) < 10**18:
                order = sorted(range(len(files)), key=lambda i: steps[i])
                return [steps[i] for i in order], [files[i] for i in order]
    return list(range(len(files))), files


def _ids(
    files: Sequence[VectorFile], named: str | None
) -> tuple[list[list[str]] | None, list[str]]:
    """Return the ids of each file's rows, and a sentence about them; None where there are none."""
    if named is not None:
        if not any(named in file.columns for file in files):
            found = beside(files[0], named, "ids")
            return [as_ids(found, file.rows) for file in files], [f"ids: {found.where}"]
        return [as_ids(beside(file, named, "ids"), file.rows) for file in files], [
            f"ids: column {plain_name(named)}"
        ]
    names = [file.found("ids") for file in files]
    if not all(names):
        alone = [file.title for file, name in zip(files, names, strict=True) if name]
        return None, [f"only {alone[0]} has ids: rows are joined by position"] if alone else []
    try:
        ids = [as_ids(_column(f, name or ""), f.rows) for f, name in zip(files, names, strict=True)]
    except OpenError as error:
        return None, [f"no ids are used: {error}"]
    return ids, [f"ids: column {plain_name(names[0] or '')}"]


def _labels(
    files: Sequence[VectorFile], named: str | None, ids: list[list[str]] | None
) -> tuple[ClassLabels | None, int, list[str]]:
    """Return the labels of one file's rows, which file that is, and a sentence about them."""
    if named is not None:
        place = next((i for i, file in enumerate(files) if named in file.columns), 0)
        of = None if ids is None else ids[place]
        found = beside(files[place], named, "labels", of)
        labels, words = joined_labels(found, files[place].rows, of, files[place].title)
        classes = _classes(labels, told="it has none for" in words)
        return labels, place, [f"labels: {words}: {classes}"]
    for place, file in enumerate(files):
        if (name := file.found("labels")) is not None:
            try:
                found = _column(file, name)
                labels, words = joined_labels(found, file.rows, None, file.title)
            except OpenError as error:
                return None, 0, [f"no labels are used: {error}"]
            return labels, place, [f"labels: {found.where}: {_classes(labels)}"]
    return None, 0, []


def _classes(labels: ClassLabels, told: bool = False) -> str:
    """Describe classes, and how many rows have none unless it was `told`."""
    without = 0 if told else int((labels.labels == UNLABELLED).sum())
    rest = f"; {counted(without, 'row')} without a class" if without else ""
    classes = len(labels.names)
    shown = ", ".join(labels.names[:6]) + (", …" if classes > 6 else "")
    return f"{counted(classes, 'class')} ({shown}){rest}"


def _column(file: VectorFile, name: str) -> Beside:
    return beside(file, name, "column")


def _images(
    files: Sequence[VectorFile], named: str | None, ids: list[list[str]] | None
) -> tuple[ImagesOfRows | None, int]:
    if named is None:
        return None, 0
    place = next((i for i, file in enumerate(files) if named in file.columns), 0)
    return images_of(files[place], named, None if ids is None else ids[place]), place


def _drawn(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vectors that maps show, and the others; the same ones each time."""
    if count <= MOST_ON_MAP:
        return np.arange(count), np.empty(0, np.int64)
    drawn = np.random.default_rng(_SEED).choice(count, MOST_ON_MAP, replace=False)
    shown = np.zeros(count, np.bool_)
    shown[drawn] = True
    return np.flatnonzero(shown), np.flatnonzero(~shown)


def _first_rows(plan: Plan, count: int = 3) -> list[str]:
    block = next(plan.files[0].blocks())
    lines = []
    for at, row in enumerate(plan.rows[0][:count].tolist()):
        parts = [f"row {row:,}"]
        if plan.ids is not None:
            parts.append(f"id {plain_name(plan.ids[at], 60)}")
        if plan.class_names:
            label = plan.labels[at]
            parts.append(plan.class_names[label] if label != UNLABELLED else "no label")
        if plan.images is not None:
            image = plan.images.named(int(plan.image_rows[at]))
            parts.append(plain_name(image, 80) if image else "an image")
        if row < len(block):
            numbers = ", ".join(f"{number:.3g}" for number in block[row, :4].tolist())
            parts.append(f"[{numbers}{', …' if block.shape[1] > 4 else ''}]")
        lines.append("  ".join(parts))
    return lines


def one_by_one(plan: Plan) -> list[Plan]:
    """Return a plan for each file, of the same vectors in the same order."""
    return [
        replace(
            plan,
            files=[file],
            steps=[0],
            rows=[rows],
            told=list(plan.told),
            first_rows=list(plan.first_rows),
        )
        for file, rows in zip(plan.files, plan.rows, strict=True)
    ]
