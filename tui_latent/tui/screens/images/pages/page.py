"""The base class of the viewer's pages, and what they share of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tui_latent.tui.screens.images.sheet import Sheet

if TYPE_CHECKING:
    from tui_latent.analysis import RunData, RunInspector

Field = Literal["index", "other", "label", "rank"]


@dataclass(frozen=True)
class PageRequest:
    """What the screen should show."""

    page: str = "views"
    index: int = 0
    """held-out image"""
    draw: int = 0
    """seed of what is random"""
    other: int = 1
    """held-out image that an interpolation ends at"""
    label: int = 0
    """class"""
    rank: int = 0
    """of the most anomalous images"""
    latent: tuple[float, ...] | None = None
    """what the sliders are set to; None at their start"""
    channels: tuple[int, ...] | None = None
    """which channels of the images are shown; None for those of the preset"""

    def at(self, field: Field, position: int) -> PageRequest:
        """Return the same request for another image, class or rank."""
        change: dict[str, Any] = {field: position}
        return replace(self, **change)


class OpenRun:
    """What the pages share of one run; used in one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def source(self) -> RunData:
        """The run's data, latents and model; InspectionError if it is not a run."""
        from tui_latent.analysis import RunData

        return RunData(self.path)

    @cached_property
    def inspector(self) -> RunInspector:
        """Images, views and neighbours."""
        from tui_latent.analysis import RunInspector

        return RunInspector(self.path, self.source)

    def place(self, index: int) -> tuple[str, str, int]:
        """Return a description of a held-out image, its class (may be empty), and how many
        there are."""
        size = self.inspector.held_out_size()
        label = self.inspector.label(index)
        named = f" · label {label}" if label else ""
        return f"{self.source.nouns.held_out} {index:,} of 0–{size - 1:,}{named}", label, size

    def unseen(self) -> tuple[str, ...]:
        """Say in a line why training images are crossed out; no line if they are not."""
        why = self.source.pictures("train").why_none
        return (f"{why[0].upper()}{why[1:]}.",) if why else ()

    @property
    def voters(self) -> str:
        """What neighbours are looked for among: the training images, or the held-out ones."""
        from tui_latent.analysis import InspectionError

        try:
            alone = self.source.latents().bank_is_queries
        except InspectionError:  # the page says what is missing
            alone = False
        return self.source.nouns.voters(alone)


class Page:
    """Looks up one aspect of a run's images, in a thread."""

    name: ClassVar[str]
    """part of its key's id"""
    short: ClassVar[str]
    """what it is called on a narrow screen"""
    goes: ClassVar[tuple[Field, Field]] = ("index", "index")
    """what up and down, left and right step through"""
    draws: ClassVar[bool] = False
    """whether something on it is random"""
    decodes: ClassVar[bool] = False
    """whether it needs a decoder"""
    of_classes: ClassVar[bool] = False
    """whether it needs labels"""

    def __init__(self, run: OpenRun) -> None:
        self.run = run

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield what to show, starting with what is found quickly; InspectionError says why not."""
        raise NotImplementedError
