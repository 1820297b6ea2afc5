"""What every page of the viewer is asked, and what it answers from."""

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
    """What the screen is to show."""

    page: str = "views"
    index: int = 0
    """held-out image"""
    draw: int = 0
    """seed of what is random"""
    other: int = 1
    """held-out image that a walk ends at"""
    label: int = 0
    """class"""
    rank: int = 0
    """of the most anomalous images"""
    latent: tuple[float, ...] | None = None
    """where the sliders are; None at their start"""

    def at(self, field: Field, position: int) -> PageRequest:
        """Return the same at another image, class or rank."""
        change: dict[str, Any] = {field: position}
        return replace(self, **change)


class OpenRun:
    """What the pages share of one run; used in one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def source(self) -> RunData:
        """The run's data, latents and model; InspectionError when it is no run."""
        from tui_latent.analysis import RunData

        return RunData(self.path)

    @cached_property
    def inspector(self) -> RunInspector:
        """Images, views and neighbours."""
        from tui_latent.analysis import RunInspector

        return RunInspector(self.path, self.source)

    def place(self, index: int) -> tuple[str, str, int]:
        """Return which held-out image this is in words, its class, and how many there are."""
        size = self.inspector.held_out_size()
        label = self.inspector.label(index)
        return f"held-out image {index:,} of 0–{size - 1:,} · label {label}", label, size


class Page:
    """Looks up one thing that can be seen of a run, in a thread."""

    name: ClassVar[str]
    key: ClassVar[str]
    title: ClassVar[str]
    short: ClassVar[str]
    """the title where there is little room"""
    tooltip: ClassVar[str]
    goes: ClassVar[tuple[Field, Field]] = ("index", "index")
    """what the keys up and down, left and right go through"""
    draws: ClassVar[bool] = False
    """whether something on it is random"""
    decodes: ClassVar[bool] = False
    """whether it needs a decoder"""

    def __init__(self, run: OpenRun) -> None:
        self.run = run

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield what there is to show, the quickly found first; InspectionError says why not."""
        raise NotImplementedError
