"""Marking images, and giving names to groups of them: marked ones, a cluster, those in view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from textual import work

from tui_latent.nouns import counted
from tui_latent.runs.groups import Group, group_of_each, name_images
from tui_latent.runs.schema import RunError
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.dialogs.choice import Choice, ChoiceScreen
from tui_latent.tui.screens.dialogs.group_name import GroupNameScreen
from tui_latent.tui.screens.explorer.base import ExplorerBase
from tui_latent.tui.screens.explorer.views import MapResult
from tui_latent.tui.time_cursor import TimeCursor


@dataclass(frozen=True, eq=False)
class Nameable:
    """Images that could be given a name together."""

    id: str
    words: str
    """what they are: `the 3 marked points`"""
    images: NDArray[np.int64]
    """positions in the held-out split"""
    name: str = ""
    """that most of them have now"""


class NamingActions(ExplorerBase):
    """Marks images and names groups; names are kept in the run's folder."""

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__(path, drawer, time)
        self._marked_images: set[int] = set()
        """positions in the held-out split"""

    def action_mark(self) -> None:
        """Mark or unmark the image at the cursor."""
        if self._result is None or self._map.selected is None:
            return
        self._marked_images ^= {self._position()}
        self._show_marked_images()
        count = len(self._marked_images)
        name = key_name("explorer.name", self.app._keymap)
        what = f"{counted(count, 'point')} marked"
        self._status = f"{what} · {name} gives {'them' if count > 1 else 'it'} a name"
        if not count:
            self._status = ""
        self._show_line()

    def _show_marked_images(self) -> None:
        rows = (self._result.row_of(image) for image in self._marked_images) if self._result else ()
        self._map.keep_marked(frozenset(row for row in rows if row is not None))

    @work(group="naming", exclusive=True)
    async def action_name(self) -> None:
        """Ask what to name and how, and keep the name."""
        result = self._result
        if result is None:
            return
        choices = nameable(result, self._marked_images, self._map.selected, self._map.in_view())
        if not choices:
            mark, color = (
                key_name(f"explorer.{verb}", self.app._keymap) for verb in ("mark", "color")
            )
            self.notify(
                f"Nothing to name yet. Mark points with {mark}, colour by cluster with {color}, or "
                "zoom in on the points.",
                title="Name",
                markup=False,
            )
            return
        chosen = choices[0]
        if len(choices) > 1:
            answer = await self.app.push_screen_wait(
                ChoiceScreen(
                    "Name", "What do you want to name?", [_choice(each) for each in choices]
                )
            )
            if answer is None:
                return
            chosen = next(each for each in choices if each.id == answer)
        name = await self.app.push_screen_wait(GroupNameScreen(chosen.words, chosen.name))
        if name is not None and (name or chosen.name):
            self._keep_name(chosen, name)

    def _keep_name(self, chosen: Nameable, name: str) -> None:
        try:
            name_images(self.path, name, chosen.images)
        except RunError as error:
            self.notify(str(error), title="Not named", severity="error", markup=False)
            return
        if chosen.id == "marked":
            self._marked_images.clear()
            self._show_marked_images()
        self._named += 1
        self._coloring = "name" if name else self._coloring_name()
        points = counted(len(chosen.images), "point")
        self._status = f"{points} named “{name}”" if name else f"{points} without a name"
        self._request_map()
        self._show_line()


def nameable(
    result: MapResult, marked: set[int], selected: int | None, in_view: NDArray[np.int64] | None
) -> list[Nameable]:
    """Return what can be named: marked images, the cluster at the cursor, those in the window.

    `in_view` are the points in a window that was zoomed or panned, None if the whole map is shown.
    """
    positions = np.asarray(result.space.map.indices, np.int64)
    found: list[Nameable] = []
    if marked:
        images = np.array(sorted(marked), np.int64)
        count = f"the {len(images):,} marked points" if len(images) > 1 else "the marked point"
        found.append(_nameable("marked", count, images, result.groups))
    coloring = result.coloring
    if coloring.name in ("cluster", "name") and selected is not None:
        value = int(coloring.values[selected])
        if value != coloring.ground:
            own = positions[coloring.values == value]
            words = coloring.names[value]
            if coloring.name == "name" or not words.startswith("cluster "):
                words = f"“{words}”"
            found.append(_nameable("part", words, own, result.groups))
    if in_view is not None and len(in_view):
        count = f"the {counted(len(in_view), 'point')} in view"
        found.append(_nameable("view", count, np.sort(positions[in_view]), result.groups))
    return found


def _nameable(
    key: str, words: str, images: NDArray[np.int64], groups: tuple[Group, ...]
) -> Nameable:
    own = group_of_each(groups, images)
    counts = np.bincount(own[own >= 0], minlength=len(groups) + 1)
    best = int(counts.argmax())
    name = groups[best].name if 2 * counts[best] > len(images) else ""
    return Nameable(key, words, images, name)


def _choice(each: Nameable) -> Choice:
    about = counted(len(each.images), "point")
    return Choice(
        each.id,
        f"{each.words[0].upper()}{each.words[1:]}",
        f"{about}, now named “{each.name}”" if each.name else about,
    )
