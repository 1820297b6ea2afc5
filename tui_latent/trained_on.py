"""Which images a run was trained on, kept in its folder and compared with the current ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tui_latent.datasets.identity import DataIdentity, Places, changes, pack, unpack, unpack_places
from tui_latent.image_columns import ImageColumns, write_columns
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.command_word import command_word
from tui_latent.runs.schema import RunError
from tui_latent.sources.errors import DataError

IMAGES_FILE: Final = "images.npz"


@dataclass(frozen=True, eq=False)
class TrainedOn:
    """The images that a run knows."""

    identity: DataIdentity
    since: int = -1
    """the step after which it was trained on them, on others before; -1: from the start"""
    accepted: bool = False
    """whether other images may take their place at the next resume"""
    places: Places | None = None
    """which image each latent is; None if that is not recorded"""


def read_trained_on(run: Path) -> TrainedOn | None:
    """Read which images a run was trained on; None if it has no record, as in version 0.1.

    RunError when the file is damaged.
    """
    path = run / IMAGES_FILE
    try:
        identity, about = unpack(path)
        since = about.get("since", -1)
        if type(since) is not int:
            raise ValueError("it gives no step")
        places = unpack_places(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunError(
            f"{path}: damaged ({error}), so it is unknown whether the images have changed since "
            "the training: restore a copy, or delete it to continue without this check"
        ) from error
    return TrainedOn(identity, since, about.get("accepted") is True, places)


def refuse_others(run: Path, trained_on: TrainedOn | None, now: DataIdentity) -> None:
    """Raise DataError if the images are not those of the run: its points are not theirs."""
    if trained_on is not None and (change := changes(trained_on.identity, now)):
        raise DataError(
            f"the images have changed since {run.name} was trained, so no image can be shown for "
            f"a point: {change}"
        )


def accept_changed_images(run: Path) -> None:
    """Let the next training of a run continue with the current images, whatever they are."""
    trained_on = read_trained_on(run)
    if trained_on is not None:
        _write(run, replace(trained_on, accepted=True))


class ImageCheck:
    """Compares the images to be trained on with those of the run, and notes them."""

    def __init__(self, run: Path, log: Callable[[str], None]) -> None:
        """Read what the run has noted; RunError when that is damaged."""
        self._run = run
        self._log = log
        self._known = read_trained_on(run)
        self.now: DataIdentity | None = None
        self.places: Places | None = None
        """which image each row of the loaded dataset is"""
        self.columns = ImageColumns()
        """what a table says about each row"""

    def compare(self, now: DataIdentity) -> None:
        """Refuse other images than the run's with a DataError, unless they were accepted."""
        self.now = now
        if self._known is None or not _has_learnt(self._run):
            return
        change = changes(self._known.identity, now)
        if not change:
            return
        if not self._known.accepted:
            raise DataError(
                f"the images have changed since the training: {change}. Restore them, or continue "
                "with the current ones: "
                f"tui-latent resume {command_word(self._run)} --changed-images"
            )
        self._log(f"the images have changed since the training, as accepted: {change}")

    def note(self, step: int) -> None:
        """Note the images in the run, which continues from `step`."""
        if self.columns.train:
            write_columns(self._run, self.columns)
        known, now = self._known, self.now
        if now is None:
            return
        if known is not None and known.identity.same_as(now):
            noted = TrainedOn(now, known.since)
            placed = known.places is not None or self.places is None
            if known.identity.where == now.where and not known.accepted and placed:
                return
        elif known is None and _has_learnt(self._run):
            self._log("the images this run was trained on were not recorded; from now on they are")
            noted = TrainedOn(now)
        else:
            noted = TrainedOn(now, step if _has_learnt(self._run) else -1)
        noted = replace(noted, places=self.places)
        _write(self._run, noted)
        self._known = noted


def _has_learnt(run: Path) -> bool:
    return (run / "latents" / "last.safetensors").exists() or any(
        (run / "checkpoints").glob("step-*.pt")
    )


def _write(run: Path, trained_on: TrainedOn) -> None:
    about = {"since": trained_on.since, "accepted": trained_on.accepted}
    content = pack(trained_on.identity, trained_on.places, **about)
    replace_file(run / IMAGES_FILE, content, durable=True)
