"""Give the images of a run classes from a CSV file, and measure kNN of its newest latents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.launch.label_file import Entry, read_label_file
from tui_latent.launch.latent_names import UNUSED, LatentNames, latent_names
from tui_latent.metrics.search_work import affordable
from tui_latent.nouns import Nouns, counted
from tui_latent.runs.image_classes import (
    CLASSES_FILE,
    ImageClasses,
    read_image_classes,
    write_image_classes,
)
from tui_latent.runs.latents_file import LATENTS_FILE, UNLABELLED
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.origin import nouns_of, origin_of
from tui_latent.runs.relabelled import (
    write_latent_labels,
    write_map_labels,
    write_map_votes,
    write_votes,
)
from tui_latent.runs.schema import RunError
from tui_latent.runs.thumbnails import Split
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.sanitize import plain_name
from tui_latent.runtime.tensor_files import mapped_tensors
from tui_latent.sources.naming import composed, natural_order

_NAMED: Final = 5
"""lines that a message names"""
_SPLITS: Final[tuple[Split, ...]] = ("train", "val")
_KS: Final = (1, 5, 20)
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Labelled:
    """The result of labelling a run."""

    run: str
    step: int
    """of the newest evaluation, whose kNN was measured"""
    class_names: tuple[str, ...]
    """of all its images"""
    labelled: Mapping[Split, int]
    """images that have a class now"""
    images: Mapping[Split, int]
    unknown: tuple[str, ...]
    """what the file names and the run does not know, in the order of the file"""
    unused: int
    """images of the file that the run knows and did not use"""
    metrics: Mapping[str, float]
    missing: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Latents:
    """The newest latents of a run and their labels, mapped into memory."""

    step: int
    vectors: Mapping[Split, NDArray[np.float32]]
    """without "train" for a run that has no bank"""
    labels: Mapping[Split, Labels]


def label_run(path: Path, file: Path) -> Labelled:
    """Give each image named in a CSV file its class, in all files of the run; measure kNN.

    The file replaces the classes of an earlier one; images that it does not name have the class,
    or none, that they had when the run was trained. Nothing is written if it contradicts itself
    or the classes of the source. RunError says why, RunBusyError that the run is being trained.
    """
    writer = RunWriter.reopen(path)
    writer.lock()
    try:
        latents = _read_latents(path)
        names = latent_names(path, *(len(latents.labels[split]) for split in _SPLITS))
        entries = read_label_file(file, lambda text: bool(names.find(text)))
        before = read_image_classes(path)
        if before is None or any(
            len(of) != len(labels)
            for of, labels in (
                (before.train, latents.labels["train"]),
                (before.val, latents.labels["val"]),
            )
        ):  # a user's own loop may have other images by now
            before = _untouched(path, latents)
        after, unknown, unused = _given(before, entries, names, file)
        _write(path, after)
        votes, missing, confusion = _vote(
            latents, after, nouns_of(origin_of(read_manifest(path).provenance))
        )
        write_map_votes(path, latents.step, confusion, missing)
        write_votes(path, latents.step, votes)
        _tell(writer, after, votes, missing)
    finally:
        writer.close()
    of = {"train": after.train, "val": after.val}
    return Labelled(
        path.name,
        latents.step,
        after.names,
        {split: int((of[split] != UNLABELLED).sum()) for split in _SPLITS},
        {split: len(of[split]) for split in _SPLITS},
        tuple(unknown),
        unused,
        votes,
        missing,
    )


def _read_latents(path: Path) -> _Latents:
    try:
        tensors, header = mapped_tensors(path / LATENTS_FILE)
        step = str(header.get("__metadata__", {}).get("step", ""))
        vectors: dict[Split, NDArray[np.float32]] = {"val": tensors["query_latents"]}
        labels: dict[Split, Labels] = {"val": tensors["query_labels"].astype(np.int64)}
        labels["train"] = np.zeros(0, dtype=np.int64)
        if "bank_latents" in tensors:
            vectors["train"] = tensors["bank_latents"]
            labels["train"] = tensors["bank_labels"].astype(np.int64)
    except FileNotFoundError as error:
        raise RunError(
            f"{path.name} has no latents yet: train it up to its first evaluation"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path / LATENTS_FILE}: cannot be read: {error}") from error
    steps, _ = MapFolder(path).refresh(None)
    return _Latents(int(step) if step.isdecimal() else max(steps, default=0), vectors, labels)


def _untouched(path: Path, latents: _Latents) -> ImageClasses:
    """Return the classes of a run to whose images none were given so far."""
    _, newest = MapFolder(path).refresh(None)
    names = newest.map.class_names if newest is not None else ()
    train, val = (latents.labels[split].copy() for split in _SPLITS)
    return ImageClasses(names, train, val, names, train, val)


def _given(
    before: ImageClasses, entries: list[Entry], names: LatentNames, file: Path
) -> tuple[ImageClasses, list[str], int]:
    """Return the new classes, the names that match no image, and how many images are not used."""
    source = {"train": before.source_train, "val": before.source_val}
    known = {composed(name) for name in before.source_names}
    found = [(entry, names.find(entry.image)) for entry in entries]
    used = {
        composed(entry.class_name)
        for entry, places in found
        if entry.class_name and any(row != UNUSED for _, row in places)
    }
    new = used - known
    all_names = (*before.source_names, *natural_order(new))
    number = {composed(name): i for i, name in enumerate(all_names)}
    labels = {split: of.copy() for split, of in source.items()}
    lines: dict[tuple[str, int], Entry] = {}
    unknown, unused, conflicts = [], 0, []
    for entry, places in found:
        if not places:
            unknown.append(entry.image)
            continue
        if len(places) > 1:
            conflicts.append(f"line {entry.line:,}: {len(places)} images are called {entry.image}")
            continue
        split, row = places[0]
        if row == UNUSED:
            unused += 1
            continue
        label = number[composed(entry.class_name)] if entry.class_name else UNLABELLED
        of_source = int(source[split][row])
        earlier = lines.setdefault((split, row), entry)
        if composed(earlier.class_name) != composed(entry.class_name):
            conflicts.append(
                f"lines {earlier.line:,} and {entry.line:,}: {entry.image} is "
                f"{_class(earlier.class_name)} and {_class(entry.class_name)}"
            )
        elif of_source not in (UNLABELLED, label):
            conflicts.append(
                f"line {entry.line:,}: {entry.image} is {_class(entry.class_name)} there, and "
                f"{_class(all_names[of_source])} in the run's own images"
            )
        labels[split][row] = label
    if conflicts:
        raise RunError(
            f"{file}: nothing was changed, because {len(conflicts):,} line"
            f"{'s contradict' if len(conflicts) > 1 else ' contradicts'} others, or the run: "
            f"{_some(conflicts)}"
        )
    if entries and not lines and not unused:
        raise RunError(
            f"{file}: nothing was changed, because it names no image of this run: it has "
            f"{_some([entry.image for entry in entries])}, and the run has images such as "
            f"{names.example}"
        )
    after = replace(before, names=all_names, train=labels["train"], val=labels["val"])
    return after, unknown, unused


def _class(name: str) -> str:
    return f"'{name}'" if name else "without a class"


def _some(items: list[str]) -> str:
    more = f"; … ({len(items):,} in all)" if len(items) > _NAMED else ""
    return "; ".join(plain_name(item) for item in items[:_NAMED]) + more


def _write(path: Path, after: ImageClasses) -> None:
    """Write the labels into all files, the record of them first: a second try finishes the work."""
    try:
        untouched = after.names == after.source_names and all(
            np.array_equal(*of)
            for of in ((after.train, after.source_train), (after.val, after.source_val))
        )
        if not untouched:
            write_image_classes(path, after)
        write_latent_labels(path, {"train": after.train, "val": after.val})
        write_map_labels(path, after.val, after.names, len(after.source_names))
        if untouched:
            (path / CLASSES_FILE).unlink(missing_ok=True)
    except ValueError as error:
        raise RunError(f"{path.name}: its latents cannot be labelled: {error}") from error
    except OSError as error:
        raise RunError(
            f"{error.filename or path}: cannot be written: {error.strerror or error}: free some "
            "disk space or give yourself write access, then run the command again"
        ) from error


def _vote(
    latents: _Latents, classes: ImageClasses, nouns: Nouns
) -> tuple[dict[str, float], dict[str, str], NDArray[np.int64] | None]:
    """Measure kNN: return accuracies, why some are missing, and the confusion matrix."""
    if not classes.names:
        return {}, {}, None
    import torch

    from tui_latent.metrics.some_labelled import knn_of_labelled

    val, train = latents.vectors["val"], latents.vectors.get("train")
    asked = int((classes.val != UNLABELLED).sum())
    voters = classes.val if train is None else classes.train
    if not affordable(asked, int((voters != UNLABELLED).sum()), val.shape[1]):
        why = f"it takes minutes for so many {nouns.image}s: tui-latent evaluate measures it"
        return {}, {f"val/knn_{k}": why for k in _KS}, None
    found = knn_of_labelled(
        torch.from_numpy(val),
        torch.from_numpy(classes.val),
        None if train is None else torch.from_numpy(train),
        None if train is None else torch.from_numpy(classes.train),
        len(classes.names),
        nouns=nouns,
    )
    confusion = None if found.confusion is None else found.confusion.numpy()
    return found.metrics, found.missing, confusion


def _tell(
    writer: RunWriter, classes: ImageClasses, votes: Mapping[str, float], missing: Mapping[str, str]
) -> None:
    """Bring the status up to date, and add a line to the log."""
    reader = MetricsReader(writer.path / "metrics.jsonl")
    reader.refresh()
    curve = reader.curves.get("val/knn_20")
    best = None if curve is None or not math.isfinite(curve.best) else curve.best
    newest = votes.get("val/knn_20", math.nan if missing else None)
    writer.status(best_knn_20=best, knn_20=newest)
    count = int((classes.val != UNLABELLED).sum() + (classes.train != UNLABELLED).sum())
    shown = "".join(
        f", kNN@{k} {votes[f'val/knn_{k}']:.4f}" for k in _KS if f"val/knn_{k}" in votes
    )
    names = counted(len(classes.names), "class")
    writer.log(f"labelled: {counted(count, 'image')} of {names}{shown}")
