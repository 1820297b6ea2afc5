"""Describe a source of images without reading any, for menus and forms; without torch."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from tui_latent.config.feature_models import published_model
from tui_latent.config.settings import DataSettings, Preset
from tui_latent.datasets.folder_entries import is_array_name, is_image_name
from tui_latent.datasets.folder_layout import DEFAULT_SIZE, FolderLayout, refuse_strangers
from tui_latent.datasets.model_names import why_unknown
from tui_latent.datasets.paths import data_folder
from tui_latent.datasets.pretrained_weights import why_no_weights
from tui_latent.datasets.public import missing_files, require_download
from tui_latent.datasets.selection import chosen_classes, merged_classes
from tui_latent.datasets.unlabelled_layout import layout_of
from tui_latent.plugins.registry import plugin_of
from tui_latent.sources import SOURCES, OwnSource, PublicDataset
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.array_file import look_at_arrays

_NO_PATH = (OSError, RuntimeError, ValueError)
"""exceptions for invalid paths: too long, of an unknown user, with a null character"""
ANSWER_WITHIN = 3.0
"""seconds after which the description says that the disk does not respond"""
_MANY_CHANNELS = (".tif", ".tiff", ".npy")
"""suffixes of files that may have more than three channels"""
_LOOKED_AT = 1000
"""maximum number of entries of a folder in which an image is looked for"""
_waiting: dict[str, threading.Thread] = {}
"""threads that still wait for the disk, by location"""


_HOW_TO_LABEL = {
    "folder": "put the images of each class into a folder named after it",
    "arrays": "add that array, with one label per image",
    "manifest": "add a column 'label' with the class of each image",
}


@dataclass(frozen=True)
class SourceFacts:
    """Facts about a source that help to choose it.

    Numbers are those of the source, before classes or images are selected.
    """

    name: str
    """title such as "MNIST", or the name of the folder or file"""
    shape: tuple[int, int, int] | None
    """(C, H, W) after resizing to `data.size`; None if unknown"""
    class_names: tuple[str, ...]
    """empty if unknown"""
    train: int | None
    held_out: int | None
    had: Literal["bundled", "on disk", "download", "missing"]
    where: str
    """folder or file of the images"""
    note: str
    """where the images come from, as a phrase"""
    problem: str = ""
    """why these settings cannot be used, and what to do; empty if no problem was found"""
    unlabelled: str = ""
    """why no image has a class, in words; empty if some have one, or if that is unknown"""


def describe_images(preset: Preset) -> SourceFacts:
    """Return `describe_source` of a preset; it is a problem if its method lacks labels."""
    facts, method = describe_source(preset.data), preset.method
    if facts.problem or not facts.unlabelled or not method.supervised:
        return facts
    helps = (
        "set data.labels=auto"
        if preset.data.labels == "none"
        else _HOW_TO_LABEL.get(preset.data.source, "give each image a class")
    )
    return replace(
        facts,
        problem=f"{method.name} learns from labels: it {method.labels_needed()}. Here no image has "
        f"a class, because {facts.unlabelled}: {helps}, or use a method that needs no labels, such "
        "as contrastive, vicreg or autoencoder",
    )


def describe_source(settings: DataSettings) -> SourceFacts:
    """Return what is known about a source without opening images; problems are in the facts.

    It never raises, and returns within ANSWER_WITHIN seconds even if a disk does not respond.
    """
    place = settings.path if SOURCES[settings.source].needs_path else str(data_folder())
    facts = _answer(lambda: _describe(settings), place)
    if facts is None:
        note = f"no response within {ANSWER_WITHIN:g} s"
        return SourceFacts(settings.source, None, (), None, None, "missing", place, note)
    return facts


def _describe(settings: DataSettings) -> SourceFacts:
    source = SOURCES[settings.source]
    if isinstance(source, PublicDataset):
        facts = _public(settings, source)
    elif isinstance(source, OwnSource):
        facts = _own(settings, source)
    else:
        path = Path(settings.path)
        look = {"folder": _folder, "manifest": _manifest}.get(settings.source, _arrays)
        try:
            path = path.expanduser()
            facts = look(settings, path)
        except (DataError, *_NO_PATH) as error:
            name = path.name if settings.source == "folder" else path.stem
            note = "cannot be used"
            why = str(error) if isinstance(error, DataError) else f"data.path: {error}"
            facts = SourceFacts(name, None, (), None, None, "missing", str(path), note, why)
    if settings.labels == "none":
        facts = replace(facts, class_names=(), unlabelled="data.labels is 'none'")
    return facts if facts.problem else replace(facts, problem=_problem(settings, facts))


def _answer(ask: Callable[[], SourceFacts], place: str) -> SourceFacts | None:
    """Return the result of `ask`; None if it takes too long, or an earlier call still waits.

    It runs in a thread that may be left behind: a read from a lost network disk never returns.
    """
    earlier = _waiting.get(place)
    if earlier is not None and earlier.is_alive():
        return None
    answers: list[SourceFacts] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # raised again by the caller
            errors.append(error)

    thread = threading.Thread(target=run, name="source facts", daemon=True)
    thread.start()
    thread.join(ANSWER_WITHIN)
    if errors:
        raise errors[0]
    if answers:
        _waiting.pop(place, None)
        return answers[0]
    _waiting[place] = thread
    return None


def _public(settings: DataSettings, dataset: PublicDataset) -> SourceFacts:
    root = data_folder()
    missing = missing_files(dataset)
    had: Literal["bundled", "on disk", "download", "missing"]
    problem = ""
    if dataset.bundled_with:
        had, note = "bundled", f"comes with {dataset.bundled_with}"
    elif not missing:
        had, note = "on disk", f"on disk in {root}"
    else:
        try:
            require_download(dataset, missing[0])
            had, note = "download", f"{dataset.megabytes:,} MB will be downloaded to {root}"
        except DataError as error:
            had, note, problem = "missing", f"not in {root}", str(error)
    channels, height, width = dataset.shape
    return SourceFacts(
        dataset.title,
        (channels, settings.size or height, settings.size or width),
        dataset.class_names,
        dataset.train,
        dataset.held_out,
        had,
        dataset.bundled_with or str(root),
        note,
        problem,
    )


def _own(settings: DataSettings, source: OwnSource) -> SourceFacts:
    plugin = plugin_of("source", source.name)
    by = f"read by {plugin.describe()}" if plugin else "read by a plugin"
    try:
        shape = source.image_shape(settings.path)
        problem = source.problem(settings.path)
    except Exception as error:  # whatever the plugin's code raises
        shape, problem = None, f"{by}: {type(error).__name__}: {error}"
    if shape is not None and settings.size:
        shape = (shape[0], settings.size, settings.size)
    where = settings.path or source.name
    had: Literal["on disk", "missing"] = "missing" if problem else "on disk"
    return SourceFacts(source.name, shape, (), None, None, had, where, by, problem)


def _folder(settings: DataSettings, path: Path) -> SourceFacts:
    layout = layout_of(settings, path, lambda: None)
    held_out = ""
    if layout.test is not None and not settings.val_fraction:
        refuse_strangers(layout, settings.classes)
        held_out = f"held out: {layout.test}"
    without = "" if layout.folders else " without classes"
    notes = (f"images{without} in {layout.train}", held_out, *layout.notes)
    size = settings.size or DEFAULT_SIZE
    return SourceFacts(
        path.resolve().name,
        (_channels(layout), size, size),
        layout.class_names,
        None,
        None,
        "on disk",
        str(path),
        "; ".join(note for note in notes if note),
        unlabelled="" if layout.folders else f"there are no class folders in {layout.train}",
    )


def _channels(layout: FolderLayout) -> int:
    """Return the channels of the first image of a folder, if its kind of file can have many."""
    folder = layout.train / (layout.folders[0] if layout.folders else "")
    with suppress(OSError, StopIteration):
        names = (entry.name for entry in os.scandir(folder))
        name = next(
            name for name in islice(names, _LOOKED_AT) if is_image_name(name) or is_array_name(name)
        )
        if name.lower().endswith(_MANY_CHANNELS):
            from tui_latent.datasets.shown_image import channels_of  # Pillow, only here

            return channels_of(folder / name)
    return 3


def _arrays(settings: DataSettings, path: Path) -> SourceFacts:
    arrays = look_at_arrays(path)
    channels, height, width = arrays.shape
    return SourceFacts(
        path.stem,
        (channels, settings.size or height, settings.size or width),
        (),
        arrays.train,
        arrays.held_out,
        "on disk",
        str(path),
        f"arrays in {path}{', without labels' if arrays.unlabelled else ''}",
        unlabelled=arrays.unlabelled,
    )


def _manifest(settings: DataSettings, path: Path) -> SourceFacts:
    # Readers of images, which the menu's first frame does without.
    from tui_latent.datasets.manifest.look import look_at_manifest

    size = settings.size or DEFAULT_SIZE
    found = look_at_manifest(settings)
    return SourceFacts(
        path.resolve().name if path.is_dir() else path.name,
        (3, size, size),
        found.class_names,
        found.train,
        found.held_out,
        "on disk",
        str(path),
        "; ".join(found.notes),
        unlabelled=found.unlabelled,
    )


def _problem(settings: DataSettings, facts: SourceFacts) -> str:
    try:
        if facts.class_names or facts.unlabelled:
            kept = chosen_classes(facts.class_names, settings.classes)
            merged_classes([facts.class_names[i] for i in kept], settings.merge)
        model = published_model(settings.inputs)
        if model is not None and (why := why_unknown(model)):
            return f"data.inputs: {why}"
        return why_no_weights(settings)
    except DataError as error:
        return str(error)
    except _NO_PATH as error:
        return f"data.weights: {error}"
