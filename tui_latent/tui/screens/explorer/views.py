"""The explorer's requests and results as immutable values, and their wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.cells import cell_len
from textual.content import Content

from tui_latent.palettes import RGB, css_color
from tui_latent.tui.charts.image_grid import Tile
from tui_latent.tui.charts.line_chart import value_at
from tui_latent.tui.charts.scatter import NO_LABEL, Coloring, class_coloring, hidden_share
from tui_latent.tui.format import cell_number, clip, number
from tui_latent.tui.screens.explorer.colorings import ColoringName
from tui_latent.tui.screens.explorer.point_panel import PointWords

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tui_latent.analysis.neighbourhood_change import NeighbourChanges
    from tui_latent.analysis.neighbourhoods import Space
    from tui_latent.analysis.point_facts import PointFacts, RelatedImages
    from tui_latent.analysis.projections import Projection, ProjectionName
    from tui_latent.runs.groups import Group
    from tui_latent.runs.schema import RunSnapshot
    from tui_latent.sources.files.columns import Column
    from tui_latent.tui.charts.image_cells import Pixels
    from tui_latent.tui.time_cursor import TimeCursor


_TRACK: Final = 24
_SHORTEST_TRACK: Final = 6
_SHORTEST_NAME: Final = 6
_MOST_COLUMNS: Final = 5
"""columns of which the panel writes the value of a point"""
_LONGEST_TITLE: Final = 16
ELSEWHERE: Final = "↗"
"""marks a neighbour that is far away on the map, or a distant image that is near"""


@dataclass(frozen=True)
class MapRequest:
    """A request for a map."""

    step: int
    """of the evaluation"""
    newest: bool
    """whether it is the run's last one, whose latents are kept at full width"""
    coloring: ColoringName = "class"
    projection: ProjectionName = "map"
    before: tuple[int, ...] = ()
    """steps of the evaluations just before, for the paths of the movers"""
    named: int = 0
    """how often groups of images were given names on this screen"""


@dataclass(frozen=True, eq=False)
class MapResult:
    """A requested map."""

    request: MapRequest
    space: Space
    coloring: Coloring
    projection: Projection | None = None
    """None shows the map as training wrote it"""
    problem: str = ""
    """why part of it is not as requested"""
    paths: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    """(T, 2) each, of the points that moved farthest"""
    groups: tuple[Group, ...] = ()
    """images that people gave names"""
    columns: tuple[Column, ...] = ()
    """what a table says about the points"""
    no_images: str = ""
    """why none of the run's images can be shown; empty if they can, as far as is known"""

    @property
    def parts(self) -> Coloring:
        """What can be shown alone and hidden: clusters and values of a column in their colours,
        else what has a name."""
        return self.coloring if self.coloring.parts else self.named

    @property
    def named(self) -> Coloring:
        """What can be found by its name: the classes, or without labels the colours."""
        labels = np.asarray(self.space.map.labels, np.int64)
        if not (labels >= 0).any():
            return self.coloring
        return class_coloring(labels, self.space.map.class_names)

    def row_of(self, position: int) -> int | None:
        """Return the point of an image by its position in the held-out split; None without one.

        The map of a large split shows a sample of its images.
        """
        rows = np.flatnonzero(np.asarray(self.space.map.indices) == position)
        return int(rows[0]) if len(rows) else None


@dataclass(frozen=True, eq=False)
class PointResult:
    """The details of a point."""

    space: Space
    facts: PointFacts
    image: Pixels | None = None
    nearest: Pixels | None = None
    distant: Pixels | None = None
    problem: str = ""
    """why there are no images"""
    names: tuple[str, ...] = field(default=())


def point_words(
    result: PointResult,
    behind: int,
    color: RGB | None = None,
    part: str = "",
    kind: str = "held-out image",
    columns: Sequence[Column] = (),
) -> PointWords:
    """Describe a point whose class has a colour; `behind` other points share its cell.

    `part` says which cluster or named group it is in; `kind` is what a point stands for;
    `columns` are those of a table that say more of it.
    """
    facts, names = result.facts, result.names
    moved = int(facts.nearest.far_on_map.sum())
    position = int(np.asarray(result.space.map.indices)[facts.index])
    lines = [
        *_label_lines(facts, names, color),
        *([Content(part)] if part else []),
        *_column_lines(columns, facts.index),
        Content(f"denser than {int(100 * facts.thinner)} %"),
        *([Content(f"{behind:,} more here")] if behind else []),
        *([Content(f"{ELSEWHERE} {_far_away(moved)} away on the map")] if moved else []),
    ]
    return PointWords(
        title=f"{kind} {position:,}",
        lines=lines,
        image=result.image,
        nearest_title=f"nearest {_space_name(result.space)}",
        nearest=_tiles(result, facts.nearest, result.nearest, facts.nearest.far_on_map),
        distant_title="most distant",
        distant=_tiles(result, facts.distant, result.distant, ~facts.distant.far_on_map),
        problem=result.problem,
        listed=[] if result.image is not None else _listed(result),
    )


def _far_away(neighbours: int) -> str:
    return "one neighbour is far" if neighbours == 1 else f"{neighbours} neighbours are far"


def _column_lines(columns: Sequence[Column], index: int) -> list[Content]:
    """Write what a table says about a point, a line for each column that has a value."""
    lines = []
    for column in columns:
        if value := column.text(index):
            written = value if column.numbers is None else cell_number(float(value))
            lines.append(Content(f"{clip(column.name, _LONGEST_TITLE)}: {clip(written, 60)}"))
    hidden = len(lines) - _MOST_COLUMNS
    return lines if hidden <= 1 else [*lines[:_MOST_COLUMNS], Content(f"{hidden} more columns")]


def _label_lines(facts: PointFacts, names: tuple[str, ...], color: RGB | None) -> list[Content]:
    """Say which class a point has, and which its neighbours vote for; nothing without labels."""
    if facts.label < 0 and not facts.voters:
        return []
    verdict = f"kNN {_name(names, facts.vote)}, {facts.votes} of {facts.voters}"
    if facts.label < 0:
        return [Content(NO_LABEL), Content(verdict)]
    label_style = f"bold {css_color(color)}" if color else "bold"
    right = facts.vote == facts.label
    lines = [Content.assemble("label ", (_name(names, facts.label), label_style))]
    if facts.voters:
        lines.append(Content.styled(verdict, "" if right else "bold $text-error"))
    return lines


def _listed(result: PointResult) -> list[str]:
    """Write the nearest and the most distant in words, a line each, where images are missing."""
    lines = []
    for title, related in (
        (f"nearest {_space_name(result.space)}", result.facts.nearest),
        ("most distant", result.facts.distant),
    ):
        lines.append(title)
        positions = np.asarray(result.space.map.indices)[related.indices].tolist()
        labels = np.asarray(result.space.map.labels)[related.indices].tolist()
        rows = zip(positions, labels, related.distances.tolist(), strict=True)
        for position, label, distance in rows:
            name = f"  {_name(result.names, label)}" if label >= 0 else ""
            lines.append(f"  {position:>7,}  {number(distance):>6}{name}")
    return lines


def next_projection(space: Space, shown: ProjectionName) -> tuple[ProjectionName | None, str]:
    """Return the projection after the one shown, or None and why there is no other."""
    from tui_latent.analysis.projections import projection_names

    names = projection_names(space.points.shape[1], len(space.map.class_names))
    if len(names) == 1:
        kept = "only the map of this evaluation was kept"
        return None, kept if space.is_map else "the latents are 2-D"
    at = names.index(shown) if shown in names else 0
    return names[(at + 1) % len(names)], ""


def line_words(
    snapshot: RunSnapshot, time: TimeCursor, coloring: str, status: str, width: int = 120
) -> str:
    """Name the run and evaluation shown in `width` cells, or report progress if there is any."""
    if status:
        room = width - cell_len(status) - 2
        return f"{clip(snapshot.name, max(room, _SHORTEST_NAME))}  {status}"
    steps = snapshot.map_steps
    step = time.resolve(steps)
    if step is None:
        return f"{snapshot.name}  colour: {coloring}"
    place = f"{time.position(steps) + 1}/{len(steps)}"
    curve = snapshot.curves.get("val/knn_20")
    missing = step == steps[-1] and "val/knn_20" in snapshot.missing
    value = None if missing or curve is None else value_at(curve, step)
    unscored = curve is None and (not snapshot.class_names or snapshot.origin != "trained")
    knn = "" if unscored else f"kNN@20 {number(value)}  "
    facts = f"{place}  {knn}colour: {coloring}"
    room = width - len(facts) - len(f"step {step:>7,}") - _SHORTEST_TRACK - 4
    start = f"{clip(snapshot.name, max(room, _SHORTEST_NAME))}  step {step:>7,} "
    track = time.track(steps, min(max(width - len(start) - len(facts) - 1, 1), _TRACK))
    return f"{start}{track} {facts}"


def map_titles(
    result: MapResult,
    shown: int,
    hidden: int,
    kind: str = "held-out images",
    condition: str = "",
) -> tuple[str, ...]:
    """Name a map of points of a kind; say how faithful it is and how many points are hidden.

    `condition` is what the points shown match.
    """
    shorter: tuple[str, ...] = ()
    if projection := result.projection:
        title = f"{projection.name} · {projection.faithful}"
        faithful = projection.faithful.rpartition(" · ")[2]
        shorter = (f"{projection.name} · {faithful}", projection.name)
    else:
        way = result.space.map.projection
        title = "Latent map" if way == "native" else f"Latent map, {way.upper()}"
    share = hidden_share(hidden, shown)
    if condition:
        return (
            f"{title} · {shown:,} {kind} with {condition} · {share}",
            f"{title} · {shown:,} with {condition}",
            f"with {clip(condition, 30)}",
        )
    return (
        f"{title} · {shown:,} {kind} · {share}",
        f"{title} · {shown:,} · {share}",
        title,
        *shorter,
    )


def mover_words(movers: NeighbourChanges, before: int, after: int) -> list[str]:
    """List the images whose neighbourhood changed most, one per line."""
    where = " on the map" if movers.on_map else ""
    head = (
        f"From step {before:,} to step {after:,}, images kept {100 * movers.mean_kept:.0f} % of "
        f"their {movers.neighbours} nearest neighbours{where}, on average."
    )
    rows = zip(movers.indices.tolist(), movers.kept.tolist(), strict=True)
    return [head, *(f"image {index:>6,}   kept {100 * kept:3.0f} %" for index, kept in rows)]


def _space_name(space: Space) -> str:
    if space.is_map:
        return "on the map"
    return f"in {space.points.shape[1]}-D latents"


def _tiles(
    result: PointResult, related: RelatedImages, images: Pixels | None, elsewhere: NDArray[np.bool_]
) -> list[Tile]:
    """Make tiles, marking those that the map places differently from the latent space."""
    if images is None:
        return []
    tiles = []
    labels = result.space.map.labels[related.indices].tolist()
    rows = zip(images, labels, related.distances.tolist(), elsewhere.tolist(), strict=True)
    for image, label, distance, moved in rows:
        other = -1 not in (label, result.facts.label) and label != result.facts.label
        name = f"{_name(result.names, label)} " if label >= 0 else ""
        text = f"{ELSEWHERE if moved else ''}{name}{number(distance)}"
        tiles.append(Tile(image, text, "$text-error" if other else ""))
    return tiles


def _name(names: tuple[str, ...], index: int) -> str:
    return names[index] if 0 <= index < len(names) else str(index)
