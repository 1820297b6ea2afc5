"""`classes.npz`: classes that people gave to a run's images after it was trained."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.command_word import command_word
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import opened_archive

CLASSES_FILE: Final = "classes.npz"
_DAMAGED: Final = (
    OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageClasses:
    """The classes of a run's images by row of its latents: those given, and those before."""

    names: tuple[str, ...]
    """all class names; those of the source come first, in their order"""
    train: Labels
    """(N,) of the training images, indices into `names`, UNLABELLED without one; N is 0 for a run
    that has no training latents"""
    val: Labels
    """(M,) of the held-out images"""
    source_names: tuple[str, ...]
    """class names that the images had when the run was trained; often none"""
    source_train: Labels
    source_val: Labels


def read_image_classes(run: Path) -> ImageClasses | None:
    """Read the classes given to a run's images; None if there are none.

    RunError when the file is damaged.
    """
    path = run / CLASSES_FILE
    try:
        with opened_archive(path) as arrays:
            names, before = (
                tuple(str(name) for name in arrays[key]) for key in ("names", "source_names")
            )
            labels = [
                arrays[key].astype(np.int64)
                for key in ("train", "val", "source_train", "source_val")
            ]
        for given, source in ((labels[0], labels[2]), (labels[1], labels[3])):
            if given.ndim != 1 or given.shape != source.shape:
                raise ValueError("its arrays differ in length")
            for of, known in ((given, names), (source, before)):
                if len(of) and not UNLABELLED <= of.min() <= of.max() < len(known):
                    raise ValueError("a label has no class")
    except FileNotFoundError:
        return None
    except _DAMAGED as error:
        raise RunError(
            f"{path}: damaged ({error}): delete it and label the run again, with "
            f"tui-latent label {command_word(run)} --csv FILE"
        ) from error
    return ImageClasses(names, labels[0], labels[1], before, labels[2], labels[3])


def write_image_classes(run: Path, classes: ImageClasses) -> None:
    """Replace the classes given to a run's images; OSError while the disk refuses it."""
    archive = io.BytesIO()
    np.savez_compressed(
        archive,
        names=np.array(classes.names, dtype=np.str_),
        source_names=np.array(classes.source_names, dtype=np.str_),
        train=classes.train,
        val=classes.val,
        source_train=classes.source_train,
        source_val=classes.source_val,
    )
    replace_file(run / CLASSES_FILE, archive.getbuffer(), durable=True)
