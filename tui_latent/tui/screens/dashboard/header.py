"""The top line: what this run is doing and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.content import Content
from textual.widget import Widget

from tui_latent.nouns import counted
from tui_latent.runs.schema import LIVE_STATES, RunSnapshot, State
from tui_latent.tui.format import STATE_GLYPHS, UNKNOWN, bar, clip, clock, number, share
from tui_latent.tui.screens.dashboard.views import RETRIEVAL, RETRIEVAL_FRONT, has_labels

_STYLES: Final[dict[State, str]] = {
    "starting": "$text-muted",
    "running": "bold $text-success",
    "paused": "bold $text-warning",
    "finished": "bold $text-success",
    "stopped": "bold",
    "failed": "bold $text-error",
    "interrupted": "bold $text-warning",
}
_OPENED: Final = "opened"
"""what a run of opened files is called instead of finished: nobody trained it here"""
ASKED: Final = {"run": "resuming…", "pause": "pausing…", "stop": "stopping…"}
"""shown instead of the state between a request and the trainer's response"""


_BEFORE_BAR: Final = ("name", "seed", "epoch", "phase")
_BY_WEIGHT: Final = (
    *("dropped", "share", "left", "trained", "rate", "phase", "name", "epoch", "speed"),
    *("screen", "device", "seed", "step", "knn"),
)
"""parts of the line, the most important first"""
_NARROW_FIRST: Final = ("share", "left", "knn", "dropped", "trained", "rate", "name")
"""the most important parts of a narrow line, in which name and phase share what is left"""
_NARROW: Final = 100
"""cells below which the kNN panel may be hidden, so that its number belongs here"""
_WORD: Final = 9
_SHORTEST_BAR: Final = 12
_FROM_BAR: Final = 4
"""cells by which a narrow line's bar is shorter where that leaves the names of run and stage"""
_SHORTEST_NAME: Final = 12
"""fewest cells in which the name of a run or a stage can be recognised"""


class RunHeader(Widget):
    """One line; the least important parts go first as the screen narrows."""

    DEFAULT_CSS = """
    RunHeader { height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: RunSnapshot | None = None
        self._asked: str | None = None
        self._line = Content("")

    def show(self, snapshot: RunSnapshot, asked: str | None) -> None:
        """Show a run and the request that the trainer has not answered yet."""
        self._snapshot, self._asked = snapshot, asked
        self._refresh_line()

    def on_resize(self) -> None:
        self._refresh_line()

    def render(self) -> Content:
        return self._line

    def _refresh_line(self) -> None:
        if self._snapshot is None:
            return
        line = header_line(self._snapshot, self._asked, self.size.width)
        if line != self._line:
            self._line = line
            self.refresh()


def header_line(snapshot: RunSnapshot, asked: str | None, width: int) -> Content:
    """Summarise a run in one line of `width` cells."""
    status = snapshot.status
    word = ASKED[asked] if asked else status.state_word
    if snapshot.origin == "opened" and word == "finished":
        word = _OPENED
    state = (f" {STATE_GLYPHS[status.state_word]} {word:<{_WORD}} ", _STYLES[status.state])
    chosen = _chosen(_pieces(snapshot), width < _NARROW, width - len(state[0]) - _SHORTEST_BAR)
    room = width - len(state[0]) - sum(len(text) + 2 for text in chosen.values()) - 1
    measured = status.total_steps > 0 and snapshot.origin != "opened"
    middle = bar(status.step, status.total_steps, max(room, 4)) if measured else " " * room
    before = "  ".join(chosen[name] for name in _BEFORE_BAR if name in chosen)
    after = "  ".join(chosen[name] for name in chosen if name not in _BEFORE_BAR)
    return Content.assemble(
        state, (f"{before}  " if before else "", "bold"), (middle, "$text-muted"), f"  {after}"
    )


def _pieces(snapshot: RunSnapshot) -> dict[str, str]:
    """Return the parts of the line in display order."""
    status = snapshot.status
    live = status.state in LIVE_STATES
    speed = f"{status.images_per_second:,.0f}" if status.images_per_second else UNKNOWN
    share_of_screen = _last(snapshot, "train/screen_share")
    own, opened = snapshot.origin == "trained", snapshot.origin == "opened"
    ends = status.total_steps > 0 or own
    return {
        "name": clip(_name(snapshot), 32),
        "seed": f"seed {snapshot.preset.get('train', {}).get('seed', UNKNOWN)}" if own else "",
        "epoch": _epoch(snapshot),
        "phase": clip(status.phase, 24) if live else "",
        "share": f"{share(status.step, status.total_steps):>5}" if ends and not opened else "",
        "left": f"{clock(seconds_left(snapshot)):>7} left" if live and ends else "",
        "trained": "" if live or opened else f"{clock(status.seconds):>7} trained",
        "knn": _progress(snapshot),
        "speed": f"{speed:>7} img/s" if live and (own or status.images_per_second) else "",
        "rate": f"lr ×{status.lr_factor:g}" if live and status.lr_factor != 1 else "",
        "device": _device(snapshot),
        "step": "" if opened else f"step {status.step:,}",
        "dropped": _left_out(status.dropped, status.skipped),
        "screen": "" if share_of_screen is None else f"screen {100 * share_of_screen:.1f} %",
    }


def _chosen(pieces: Mapping[str, str], narrow: bool, room: int) -> dict[str, str]:
    """Keep the parts that fit into `room` cells, the most important first."""
    kept: dict[str, str] = {}
    for name in (*_NARROW_FIRST, "phase", *_BY_WEIGHT) if narrow else _BY_WEIGHT:
        text = pieces[name]
        if name == "name" and narrow and pieces["phase"]:  # both, shortened, and so is the bar
            room += _FROM_BAR
            text = clip(text, max((room - 4) // 2, _SHORTEST_NAME))
        elif name == "name" or (name == "phase" and narrow and room - 2 >= _SHORTEST_NAME):
            text = clip(text, max(room - 2, _SHORTEST_NAME))
        if name not in kept and text and len(text) + 2 <= room:
            kept[name] = text
            room -= len(text) + 2
        if name == "phase" and text and narrow:
            room -= _FROM_BAR
    return {name: kept[name] for name in pieces if name in kept}


def _name(snapshot: RunSnapshot) -> str:
    """Return the preset of a run that is named after it, and else the run's own name."""
    preset = str(snapshot.provenance.get("preset") or "")
    return preset if preset and preset in snapshot.name else snapshot.name


def seconds_left(snapshot: RunSnapshot) -> float | None:
    """Estimate the remaining training seconds from the pace of the last quarter of the run."""
    status = snapshot.status
    if status.step <= 0 or status.total_steps <= 0:
        return None
    pace = status.seconds / status.step
    curve = snapshot.curves.get("train/loss")
    if curve is not None and len(curve.steps) >= 8:
        start = -(len(curve.steps) // 4) - 1
        steps = curve.steps[-1] - curve.steps[start]
        pace = (curve.times[-1] - curve.times[start]) / steps
    return max(0.0, pace * (status.total_steps - status.step))


def _left_out(records: int, evaluations: int) -> str:
    count = records + evaluations
    if not count:
        return ""
    if records and evaluations:  # both words would not fit into 80 columns
        return f"{count:,} left out"
    return f"{counted(count, 'record' if records else 'evaluation')} left out"


def _epoch(snapshot: RunSnapshot) -> str:
    """Return the epoch, which a user's own loop may not know."""
    status = snapshot.status
    if snapshot.origin == "opened" or (snapshot.origin == "watched" and not status.epoch):
        return ""
    if snapshot.origin == "watched" and not status.total_epochs:
        return f"epoch {status.epoch:.0f}"
    return f"epoch {status.epoch:.0f}/{status.total_epochs or UNKNOWN}"


def _progress(snapshot: RunSnapshot) -> str:
    """Return the figure that sums up a run: kNN, or without labels the retrieval of views."""
    value = _last(snapshot, "val/knn_20")
    if value is None and not has_labels(snapshot):
        value = _last(snapshot, RETRIEVAL[RETRIEVAL_FRONT])
        return "" if value is None else f"views {number(value):>4}"
    if value is None and snapshot.origin != "trained":
        return ""
    return f"kNN {number(value):>4}"


def _device(snapshot: RunSnapshot) -> str:
    status = snapshot.status
    if not status.device:
        return ""
    memory = f" {status.memory_bytes / 2**30:.1f} GiB" if status.memory_bytes else ""
    return status.device.split(" ")[0] + memory


def _last(snapshot: RunSnapshot, metric: str) -> float | None:
    return snapshot.newest(metric)
