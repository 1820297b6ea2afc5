"""The table of a sweep: a line for each combination of settings, or for each run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.differing_settings import setting_text
from tui_latent.number_format import short_number, without_zero
from tui_latent.runs.metric_specs import spec_of
from tui_latent.runs.sweep_folder import SEED
from tui_latent.sweeps.groups import Group
from tui_latent.tui.format import STATE_GLYPHS, UNKNOWN, column, duration
from tui_latent.tui.screens.sweep.view import SweepView
from tui_latent.tui.widgets.line_list import LineList

_GLYPHS: Final = {**STATE_GLYPHS, "waiting": "·", "pruned": "×", "unreadable": "?", "gone": "?"}
_GAP: Final = "  "
_WIDEST: Final = 16
"""cells of a setting's column at most"""


@dataclass(frozen=True)
class _Column:
    """One column of the table."""

    id: str
    title: str
    width: int
    text: Callable[[Group], str]
    value: Callable[[Group], Any]
    """by which it sorts; None comes last"""
    falling: bool = False


class SweepTable(Vertical):
    """A head line, and a line for each group under it."""

    DEFAULT_CSS = """
    SweepTable {
        border: round $foreground 30%;
        border-title-color: $foreground;
        &:focus-within { border: round $accent; border-title-style: bold; }
    }
    SweepTable > Static { height: 1; text-wrap: nowrap; text-style: dim; }
    """

    @dataclass
    class Arranged(Message):
        """Other lines are shown, or in another order."""

        sort: str
        """id of the column; empty for the best first"""
        singly: bool

    def __init__(self, look: Mapping[str, Any] = {}) -> None:
        """`look` is how the table was last arranged: `sort` and `singly`."""
        super().__init__(id="runs")
        self._view: SweepView | None = None
        self._singly = look.get("singly") is True
        self._by = str(look.get("sort", ""))
        self._shown: Sequence[_Column] = ()
        self._groups: dict[str, Group] = {}

    def compose(self) -> ComposeResult:
        yield Static(markup=False, id="head")
        yield LineList()

    @property
    def chosen(self) -> Group | None:
        """The group under the cursor."""
        key = self.query_one(LineList).chosen
        return self._groups.get(str(key))

    def show(self, view: SweepView) -> None:
        """Show a sweep."""
        self._view = view
        self._refresh_lines()

    def on_resize(self) -> None:
        self._refresh_lines()

    def toggle_runs(self) -> None:
        """Show each run, or the means over seeds."""
        self._singly = not self._singly
        self._arrange()

    def sort_by_next(self) -> None:
        """Sort by the next column."""
        if self._view is not None:
            names = ["", *(each.id for each in self._shown if each.id != "value")]
            at = names.index(self._by) if self._by in names else 0
            self._by = names[(at + 1) % len(names)]
            self._arrange()

    @on(events.Click, "#head")
    def click_head(self, event: events.Click) -> None:
        """Sort by the column that was clicked; a second click ends that."""
        left = 0
        for each in self._shown:
            if left <= event.x < left + each.width:
                self._by = "" if each.id in ("value", self._by) else each.id
                self._arrange()
            left += each.width + len(_GAP)

    def _arrange(self) -> None:
        self._refresh_lines()
        self.post_message(self.Arranged(self._by, self._singly))

    def _refresh_lines(self) -> None:
        view = self._view
        width = self.size.width - 3
        if view is None or width <= 0:
            return
        self._shown = columns = _fitting(self._columns(view), width)
        groups = list(view.singly() if self._singly else view.groups)
        by = next((each for each in columns if each.id == self._by), None)
        if by is not None:
            groups.sort(key=lambda group: _sortable(by.value(group)), reverse=False)
            if by.falling:
                known = [g for g in groups if by.value(g) is not None]
                groups = known[::-1] + [g for g in groups if by.value(g) is None]
        self._groups = {repr(sorted(g.values.items())) + str(len(g.rows)): g for g in groups}
        what = "Runs" if self._singly else "Settings" if _repeated(view) else "Runs"
        order = by.title if by is not None else f"best {spec_of(view.metric).short}"
        self.border_title = Content(f"{what} · {len(groups)} · by {order}")
        self.query_one("#head", Static).update(_head(columns, by))
        lines = list(self._groups.values())
        self.query_one(LineList).show(
            list(self._groups), lambda index, _: _line(lines[index], columns, view)
        )

    def _columns(self, view: SweepView) -> list[_Column]:
        keys = [key for key in view.sweep.manifest.axes if self._singly or key != SEED]
        every = view.singly() if self._singly else view.groups
        columns = [_axis(key, every) for key in keys]
        short = spec_of(view.metric).short
        columns.append(
            _Column(
                "value",
                short if not _repeated(view) or self._singly else f"mean {short}",
                max(len(short) + (0 if self._singly else 5 * _repeated(view)), 7),
                lambda group: short_number(group.value) if group.value is not None else UNKNOWN,
                lambda group: group.value,
                view.higher,
            )
        )
        if _repeated(view) and not self._singly:
            columns += [
                _Column("sd", "sd", 6, _deviation, lambda g: g.spread.deviation),
                _Column("difference", "minus best (95 %)", 19, _difference, _middle),
            ]
        states = max([11, *(len(_states(group)) for group in every)])
        columns.append(_Column("state", "state", states, _states, lambda g: _states(g)))
        columns.append(_Column("seconds", "time", 8, _time, _seconds))
        for name, title in (("val/loss", "held-out loss"), ("train/loss", "loss")):
            if name != view.metric and any(spec.name == name for spec in view.sweep.metrics):
                columns.append(
                    _Column(
                        name,
                        title,
                        max(len(title), 7),
                        lambda group, name=name: short_number(group.mean_of(name)),  # type: ignore[misc]
                        lambda group, name=name: group.mean_of(name),  # type: ignore[misc]
                    )
                )
        return columns


def _axis(key: str, groups: Sequence[Group]) -> _Column:
    title = key.rpartition(".")[2]
    texts = [setting_text(group.values.get(key)) for group in groups]
    width = min(max([len(title), *map(len, texts)]), _WIDEST)
    return _Column(
        key,
        title,
        width,
        lambda group: setting_text(group.values.get(key)),
        lambda group: group.values.get(key),
    )


def _fitting(columns: Sequence[_Column], width: int) -> list[_Column]:
    """Return the columns that fit, the settings and the value before all others."""
    ranked = sorted(
        columns, key=lambda each: each.id in ("seconds", "val/loss", "train/loss", "sd")
    )
    taken, room = set[str](), width
    for each in ranked:
        if each.width + len(_GAP) <= room or not taken:
            taken.add(each.id)
            room -= each.width + len(_GAP)
    return [each for each in columns if each.id in taken]


def _head(columns: Sequence[_Column], by: _Column | None) -> Content:
    parts = []
    for each in columns:
        mark = ("↓" if each.falling else "↑") if by is not None and each.id == by.id else ""
        title = f"{mark}{each.title}" if len(each.title) < each.width else each.title
        parts.append(column(title, each.width, right=each.id not in ("state",)))
    return Content(_GAP.join(parts))


def _line(group: Group, columns: Sequence[_Column], view: SweepView) -> Content:
    best = view.groups and group is view.groups[0] and group.spread.count
    parts: list[Any] = []
    for place, each in enumerate(columns):
        text = column(each.text(group), each.width, right=each.id != "state")
        style = ""
        if each.id == "value" and best:
            style = "bold"
        elif each.id == "state" and group.failed:
            style = "$text-error"
        elif each.id in ("sd", "seconds", "difference"):
            style = "dim"
        parts.append(((_GAP if place else "") + text, style))
    return Content.assemble(*parts)


def _repeated(view: SweepView) -> bool:
    return any(len(group.rows) > 1 for group in view.groups)


def _deviation(group: Group) -> str:
    return UNKNOWN if group.spread.deviation is None else short_number(group.spread.deviation)


def _difference(group: Group) -> str:
    if group.difference is None:
        return ""
    low, high = (without_zero(f"{end:+.3f}") for end in group.difference)
    return f"{low} to {high}"


def _middle(group: Group) -> float | None:
    return None if group.difference is None else sum(group.difference) / 2


def _states(group: Group) -> str:
    """Return how many of the runs have finished, or the one run's state."""
    if len(group.rows) == 1:
        state = group.rows[0].state
        return f"{_GLYPHS.get(state, '·')} {state}"
    counts = [("finished", ""), ("running", " training"), ("failed", " failed")]
    done = group.count("finished", "pruned")
    words = f"{done} of {len(group.rows)}"
    for state, _ in counts[1:]:
        if found := group.count(state):
            words = f"{words} {_GLYPHS[state]}{found}"
    return words


def _seconds(group: Group) -> float | None:
    known = [row.status.seconds for row in group.rows if row.status.seconds]
    return math.fsum(known) / len(known) if known else None


def _time(group: Group) -> str:
    seconds = _seconds(group)
    return UNKNOWN if seconds is None else duration(seconds)


def _sortable(value: Any) -> tuple[int, float, str]:
    """Order numbers by size, then texts; None comes last."""
    if value is None:
        return (2, 0.0, "")
    if isinstance(value, (int, float)):
        return (0, float(value), "")
    return (1, 0.0, setting_text(value))
