"""Lines of the table of runs: which columns fit a width, their titles, and a run in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from textual.content import Content

from tui_latent.tui.format import clip, column
from tui_latent.tui.screens.menu.run_columns import BY_ID, COLUMNS, NAME_WIDTH, Column
from tui_latent.tui.wrapping import first_cells

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary

_LONG_NAME: Final = 44
"""most cells of the run's name while other columns can use them"""
_FIRST: Final = ("state", "run", "done", "knn", "age", "best", "changes", "tags", "loss")
"""columns in the order in which they get room; the others follow in their own order"""


def fitting(chosen: Collection[str], width: int) -> list[tuple[Column, int]]:
    """Return the chosen columns that fit `width` cells, in their order, each with its cells.

    State and name are always included. The mark takes one cell, the gap between columns two.
    """
    ranked = [*_FIRST, *(each.id for each in COLUMNS if each.id not in _FIRST)]
    room, taken = width - 1, dict[str, int]()
    for name in ranked:
        needed = BY_ID[name].width + (2 if taken else 0)
        if name in ("state", "run") or (name in chosen and needed <= room):
            taken[name] = BY_ID[name].width
            room -= needed
    flexible = [each.id for each in COLUMNS if each.wide and each.id in taken]
    grown = min(max(room, 0), _LONG_NAME - NAME_WIDTH)
    taken["run"] += grown
    room -= grown
    if room > 0:
        others = [name for name in flexible if name != "run"] or ["run"]
        for place, name in enumerate(others):
            taken[name] += room // len(others) + (place < room % len(others))
    elif room < 0:
        taken["run"] = max(8, taken["run"] + room)
    return [(each, taken[each.id]) for each in COLUMNS if each.id in taken]


def head_line(columns: Sequence[tuple[Column, int]], by: str, falling: bool) -> str:
    """Return the titles; an arrow shows the column that the table is sorted by."""
    parts = [" "]
    for place, (each, width) in enumerate(columns):
        arrow = ("↓" if falling else "↑") if each.id == by else ""
        gap = "  " if place else ""
        title = f"{arrow} {each.title}" if arrow else each.title
        if not each.right:
            parts.append(gap + column(f"{each.title} {arrow}".rstrip(), width))
        elif len(title) <= width:
            parts.append(gap + column(title, width, right=True))
        else:  # the arrow stands in the gap, so that no title is cut
            parts.append(f" {arrow}{column(each.title, width, right=True)}")
    return "".join(parts)


def column_at(columns: Sequence[tuple[Column, int]], x: int) -> Column | None:
    """Return the column whose title is at a cell; None between titles."""
    left = 1
    for each, width in columns:
        if left <= x < left + width:
            return each
        left += width + 2
    return None


def run_line(
    run: RunSummary, columns: Sequence[tuple[Column, int]], now: float, marked: bool = False
) -> Content:
    """Return the line of a run, aligned with the titles; a marked run has a bar."""
    parts: list[Any] = [("▌" if marked else " ", "$text-accent")]
    for place, (each, width) in enumerate(columns):
        if run.problem and each.id == "state":
            parts.append((column("? unreadable", width), "$text-error"))
        elif run.problem and each.id == "run":
            parts.append((f"  {column(run.name, width)}", "$text-error"))
            problem = run.problem.removeprefix(str(run.path)).lstrip("/: ")
            parts.append((f"  {problem}", "$text-error"))
            break
        else:
            text = each.text(run, now)
            if each.wide and each.id != "run":
                text = _whole_words(text, width)
            style = "dim" if run.labels.archived else each.style(run)
            parts.append((("  " if place else "") + column(text, width, right=each.right), style))
    return Content.assemble(*parts)


def _whole_words(text: str, width: int) -> str:
    """Shorten a list to the words that fit: half a number would be another number."""
    if cell_len(text) <= width:
        return text
    kept = first_cells(text, width - 1).rpartition(" ")[0]
    return f"{kept} …" if kept else clip(text.partition(" ")[0], width)
