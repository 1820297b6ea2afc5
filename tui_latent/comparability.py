"""Which numbers of several runs may be compared: those of the same images and the same loss."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui_latent.compared_maps import other_images, same_labels_known
from tui_latent.config.methods import method_class
from tui_latent.differing_settings import SettingRow, setting_text
from tui_latent.nouns import counted
from tui_latent.runs.row_ids import read_row_ids
from tui_latent.runs.schema import RunError, RunSnapshot

_IMAGES: Final = ("data.source", "data.path", "data.classes", "data.merge.", "data.val_fraction")
"""settings that choose and label the held-out images; the seed does not"""
_DRAW: Final = "data.draw"
"""how they are drawn if the source has none of its own: then only the maps tell"""


@dataclass(frozen=True)
class Comparability:
    """What keeps runs from being compared, in sentences; any may be empty."""

    images: str
    """why no numbers are comparable"""
    losses: str
    """why their losses are not comparable"""
    maps_alike: bool
    """whether a point of one map may be compared with that of another"""
    notes: tuple[str, ...]
    """these sentences, with what is known of the images"""


@dataclass(frozen=True)
class _Rows:
    """What is known about the rows from which the vectors of opened files come; any may be
    empty."""

    same: str = ""
    different: str = ""
    untold: str = ""
    other_order: bool = False

    @property
    def alike(self) -> bool:
        """Whether a point of one map may be compared with that of another."""
        return not self.different and not self.other_order


def comparability(settings: Sequence[SettingRow], runs: Sequence[RunSnapshot]) -> Comparability:
    """Return what may be compared of runs that differ in these settings."""
    other_maps, untold = _unsure_notes(runs)
    rows = _known_rows(runs)
    images = _other_images_note(settings) or _other_draw_note(settings, runs)
    images = images or rows.different or other_maps
    losses = _other_losses_note(settings, runs)
    if rows.same or rows.untold:
        untold = rows.untold
    return Comparability(images, losses, rows.alike, (images, rows.same, untold, losses))


def _other_images_note(settings: Sequence[SettingRow]) -> str:
    keys = [row.key for row in settings if row.key.startswith(_IMAGES)]
    return f"different data ({_listed(keys)}): no numbers are comparable" if keys else ""


def _other_draw_note(settings: Sequence[SettingRow], runs: Sequence[RunSnapshot]) -> str:
    """Return a note if runs draw their images in different ways and their maps show different
    ones."""
    if not any(row.key == _DRAW for row in settings):
        return ""
    maps = [run.map for run in runs if run.map is not None]
    if any(other_images(own, maps[0]) for own in maps[1:]):
        return f"different data ({_DRAW}): no numbers are comparable"
    return ""


def _unsure_notes(runs: Sequence[RunSnapshot]) -> tuple[str, str]:
    """Return what the maps tell about runs whose presets do not name their images.

    First a note that their images differ, then one that this is unknown: either may be empty.
    """
    maps = [run.map for run in runs if run.map is not None]
    if all(run.origin == "trained" for run in runs) or len(maps) < 2:
        return "", ""
    for own in maps[1:]:
        if different := other_images(own, maps[0]):
            return f"different data ({different}): no numbers are comparable", ""
    if all(same_labels_known(own, maps[0]) for own in maps[1:]):
        return "", ""
    return (
        "",
        "without labels in both, there is no way to tell whether two maps show the same images",
    )


def _known_rows(runs: Sequence[RunSnapshot]) -> _Rows:
    """Return what is known about the rows from which opened vectors come."""
    if any(run.origin != "opened" or run.map is None for run in runs):
        return _Rows()
    commands = {str(run.provenance.get("command")) for run in runs}
    if len(commands) == 1 and "None" not in commands:
        return _Rows("they were opened together: each vector is of the same row in all")
    ids = [_ids(run.path) for run in runs]
    if not all(ids):
        return _Rows(
            untold="without ids in all, there is no way to tell whether files have the same rows"
        )
    if all(each == ids[0] for each in ids):
        return _Rows("the vectors have the same ids in all")
    if all(set(each) == set(ids[0]) for each in ids):
        return _Rows(
            "the vectors have the same ids in another order: their maps are not aligned",
            other_order=True,
        )
    common = len(set(ids[0]).intersection(*ids[1:]))
    shared = f"{counted(common, 'id')} in common"
    return _Rows(different=f"different data ({shared}): no numbers are comparable")


def _ids(path: Path) -> tuple[str, ...]:
    """Return the ids of an opened run's vectors; empty if it has none."""
    with suppress(RunError):
        return next((of.ids for split, of in read_row_ids(path).items() if split == "val"), ())
    return ()


def _other_losses_note(settings: Sequence[SettingRow], runs: Sequence[RunSnapshot]) -> str:
    if {"trained", "watched"} <= {run.origin for run in runs}:
        return "different training programs: their losses are not comparable"
    presets = [run.preset for run in runs if run.origin == "trained"]
    methods = next((row.values for row in settings if row.key == "method.name"), ())
    if methods:
        names = ", ".join(dict.fromkeys(map(setting_text, methods)))
        return f"different methods ({names}): their losses are not comparable"
    method = method_class(presets[0]) if presets else None
    same_loss = method.same_loss if method is not None else frozenset()
    keys = [
        row.key
        for row in settings
        if row.key.startswith("method.") and row.key.removeprefix("method.") not in same_loss
    ]
    return (
        f"different objectives ({_listed(keys)}): their losses are not comparable" if keys else ""
    )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
