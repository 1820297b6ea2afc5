"""The held-out images of one class that are taken for another, marked on the map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.tui.charts.scatter import Mark, Scene

if TYPE_CHECKING:
    from tui_latent.analysis.neighbourhoods import Space

GLYPH: Final = "◆"
"""of a confused image, which its colour does not tell from the others of its class"""


@dataclass(frozen=True, eq=False)
class ConfusedImages:
    """A cell of the confusion matrix, as images."""

    space: Space
    truth: int
    called: int
    indices: NDArray[np.int64]
    """(n,) positions on the map"""

    def on(self, scene: Scene) -> Scene:
        """Return the scene with the two classes alone, and these images marked."""
        labels = np.asarray(self.space.map.labels)
        places: list[list[float]] = scene.points[self.indices, :2].tolist()
        marks: list[Any] = [Mark(x, y, GLYPH) for x, y in places]
        hidden = frozenset(np.unique(labels).tolist()) - {self.truth, self.called}
        return replace(
            scene,
            visible=np.isin(labels, (self.truth, self.called)),
            marks=[*scene.marks, *marks],
            titles=lambda _: (self._title(), f"{GLYPH} {len(self.indices):,}"),
            struck=hidden if scene.coloring.name == "class" else scene.struck,
        )

    @property
    def _names(self) -> tuple[str, str]:
        names = self.space.map.class_names
        one, other = (
            names[label] if label < len(names) else str(label)
            for label in (self.truth, self.called)
        )
        return one, other

    def _title(self) -> str:
        one, other = self._names
        return f"{one} and {other} · {GLYPH} {one} taken for {other}"

    def after(self, index: int | None, way: int = 1) -> int | None:
        """Return the next of the images after one (or before it), and round again."""
        if not len(self.indices):
            return None
        here = -1 if index is None else index
        if way > 0:
            later = self.indices[self.indices > here]
            return int(later[0] if len(later) else self.indices[0])
        earlier = self.indices[self.indices < here]
        return int(earlier[-1] if len(earlier) else self.indices[-1])

    def words(self, following: str, viewer: str, every: str) -> str:
        """Say what is marked, and the keys that lead on."""
        one, other = self._names
        count = len(self.indices)
        if not count:
            return f"The nearest {self.space.voters} take no image of {one} for {other}."
        images = f"{GLYPH} {counted(count, 'image')} of {one} taken for {other}"
        by = f" by {self.space.voters}" if self.space.is_map else ""
        return f"{images}{by} · {following}: next · {viewer}: open · {every}: all classes"


def find_confused(space: Space, truth: int, called: int) -> ConfusedImages:
    """Return the images of a class whose neighbours vote for another; may take seconds."""
    labels = np.asarray(space.map.labels)
    indices = np.flatnonzero((labels == truth) & (space.votes == called))
    return ConfusedImages(space, truth, called, indices)
