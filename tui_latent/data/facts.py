"""What is known of a source before any image is read: for menus and forms, without torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tui_latent.data.arrays import look_at_arrays
from tui_latent.data.errors import DataError
from tui_latent.data.layout import DEFAULT_SIZE, find_layout
from tui_latent.data.places import data_folder, downloads_allowed, find_file
from tui_latent.data.public import PUBLIC_DATASETS, PublicDataset
from tui_latent.data.selection import chosen_classes, merged_classes
from tui_latent.data.weights import PRETRAINED, weights_file
from tui_latent.settings import DataSettings

_NO_PATH = (OSError, RuntimeError, ValueError)
"""what a text that is no path raises: too long, of no user, with a null in it"""


@dataclass(frozen=True)
class SourceFacts:
    """What a person may know of a source before choosing it.

    Numbers are those of the source, before a class subset, a cap or a share held out.
    """

    name: str
    """as shown: "MNIST", or the folder's name"""
    shape: tuple[int, int, int] | None
    """(C, H, W), after `data.size`; None where a look would cost too much"""
    class_names: tuple[str, ...]
    """empty where a look would cost too much"""
    train: int | None
    held_out: int | None
    had: Literal["bundled", "on disk", "download", "missing"]
    where: str
    """folder or file that was looked at"""
    note: str
    """how it is had, in words"""
    problem: str = ""
    """why these settings cannot be used, and what to do; empty as far as a cheap look can tell"""


def describe_source(settings: DataSettings) -> SourceFacts:
    """Return what a cheap look tells of a source; never raises: problems are in the facts."""
    if settings.source in PUBLIC_DATASETS:
        facts = _public(settings, PUBLIC_DATASETS[settings.source])
    else:
        path = Path(settings.path)
        look = _folder if settings.source == "folder" else _arrays
        try:
            path = path.expanduser()
            facts = look(settings, path)
        except (DataError, *_NO_PATH) as error:
            name = path.stem if settings.source == "arrays" else path.name
            note = "cannot be used"
            why = str(error) if isinstance(error, DataError) else f"data.path: {error}"
            facts = SourceFacts(name, None, (), None, None, "missing", str(path), note, why)
    return facts if facts.problem else replace(facts, problem=_problem(settings, facts))


def _public(settings: DataSettings, dataset: PublicDataset) -> SourceFacts:
    root = data_folder()
    files = dataset.training_files + dataset.test_files
    had: Literal["bundled", "on disk", "download", "missing"]
    problem = ""
    if not files:
        had, note = "bundled", "comes with scikit-learn"
    elif all(find_file(root, file) for file in files):
        had, note = "on disk", f"on disk in {root}"
    elif downloads_allowed():
        had, note = "download", f"{dataset.megabytes:,} MB will be downloaded to {root}"
    else:
        had, note = "missing", f"not in {root}"
        problem = (
            f"{dataset.title} is not in {root}, and TUI_LATENT_OFFLINE forbids downloads: "
            "unset it, or set TUI_LATENT_DATA to a folder that has it"
        )
    channels, height, width = dataset.shape
    return SourceFacts(
        dataset.title,
        (channels, settings.size or height, settings.size or width),
        dataset.class_names,
        dataset.train,
        dataset.held_out,
        had,
        str(root) if files else "scikit-learn",
        note,
        problem,
    )


def _folder(settings: DataSettings, path: Path) -> SourceFacts:
    layout = find_layout(path)
    size = settings.size or DEFAULT_SIZE
    return SourceFacts(
        path.resolve().name,
        (3, size, size),
        layout.class_names,
        None,
        None,
        "on disk",
        str(path),
        f"images in {layout.train}",
    )


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
        f"arrays in {path}",
    )


def _problem(settings: DataSettings, facts: SourceFacts) -> str:
    try:
        if facts.class_names:
            kept = chosen_classes(facts.class_names, settings.classes)
            merged_classes([facts.class_names[i] for i in kept], settings.merge)
        if settings.inputs in PRETRAINED:
            weights_file(settings)
    except DataError as error:
        return str(error)
    except _NO_PATH as error:
        return f"data.weights: {error}"
    return ""
