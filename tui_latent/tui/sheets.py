"""What the image viewer shows of one image: its augmented views, or its nearest neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_latent.tui.image_cells import Pixels
from tui_latent.tui.widgets.pixels import Tile
from tui_latent.tui.wording import number

if TYPE_CHECKING:
    from tui_latent.inspection import RunInspector

NEIGHBOURS = 20
"""neighbours asked for: those that kNN@20 votes with"""


@dataclass(frozen=True, eq=False)
class Sheet:
    """What was found out: images and lines of facts, or why there are none."""

    facts: Sequence[str] = ()
    left: Tile | None = None
    others: Sequence[Tile] = ()
    size: int = 0
    """how many images can be gone through; 0 when not known"""
    problem: str = ""


def views_sheet(images: Pixels, facts: Sequence[str], size: int) -> Sheet:
    """Make a sheet of (1 + views, H, W, C), the original first."""
    original, *views = images
    tiles = [Tile(view, f"view {number}") for number, view in enumerate(views, 1)]
    return Sheet(facts, Tile(original, "original", "bold"), tiles, size)


def neighbours_sheet(
    inspector: RunInspector, index: int, label: str, place: str, size: int
) -> Sheet:
    """Make a sheet of a held-out image and its neighbours; those of other classes are marked."""
    found = inspector.neighbours(index, NEIGHBOURS)
    tiles = [
        Tile(image, f"{name} {number(distance)}")
        if name == label
        else Tile(image, f"✗ {name} {number(distance)}", "bold $text-error")
        for image, name, distance in zip(found.images, found.labels, found.distances, strict=True)
    ]
    votes = ", ".join(f"{name} ×{count}" for name, count in Counter(found.labels).most_common())
    facts = (place, f"classes of its {len(tiles)} nearest training images: {votes}")
    return Sheet(facts, Tile(inspector.image(index), label, "bold"), tiles, size)
