"""The line above everything: what this run is doing and how long it will take."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.widget import Widget

from tui_latent.records.schema import LIVE_STATES, RunSnapshot, State
from tui_latent.tui.wording import STATE_GLYPHS, UNKNOWN, bar, clip, number, share

Piece = tuple[str, str]

_STYLES: Final[dict[State, str]] = {
    "starting": "$text-muted",
    "running": "bold $text-success",
    "paused": "bold $text-warning",
    "finished": "bold $text-success",
    "stopped": "bold",
    "failed": "bold $text-error",
    "interrupted": "bold $text-warning",
}
ASKED: Final = {"run": "resuming…", "pause": "pausing…", "stop": "stopping…"}
"""what stands for the state between a request and the trainer's answer"""


class RunHeader(Widget):
    """One line; what matters least leaves first as the screen narrows."""

    DEFAULT_CSS = """
    RunHeader { height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: RunSnapshot | None = None
        self._asked: str | None = None
        self._line = Content("")

    def show(self, snapshot: RunSnapshot, asked: str | None) -> None:
        """Show a run, with what was asked of it and is not answered yet."""
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
    """Say how a run stands in one line of `width` cells."""
    status = snapshot.status
    word = ASKED[asked] if asked else status.state
    left: list[Piece] = [(f" {STATE_GLYPHS[status.state]} {word:<11}", _STYLES[status.state])]
    right = [(text, "") for text in _right_pieces(snapshot, width)]
    name = _preset_name(snapshot)
    room = width - len(left[0][0]) - sum(len(text) + 2 for text, _ in right) - 2
    if room >= 34:
        title = clip(f"{name}  seed {_seed(snapshot)}", room - 18)
        left.append((f" {title} ", "bold"))
        room -= len(title) + 2
    progress = bar(status.step, status.total_steps, max(room, 4))
    pieces = [*left, (f" {progress} ", "$text-muted")]
    for piece in right:
        pieces += [piece, ("  ", "")]
    return Content.assemble(*pieces[:-1])


def _right_pieces(snapshot: RunSnapshot, width: int) -> list[str]:
    status = snapshot.status
    live = status.state in LIVE_STATES
    speed = f"{status.images_per_second:,.0f}" if status.images_per_second else UNKNOWN
    epoch = f"epoch {_count(status.epoch)}/{status.total_epochs or UNKNOWN}"
    left = f"{clock(seconds_left(snapshot)):>7} left"
    pieces = [
        (0, f"{share(status.step, status.total_steps):>5}"),
        (1, left if live else f"{clock(status.seconds):>7} trained"),
        (2, f"kNN {number(_last(snapshot, 'val/knn_20')):>4}"),
        (3, epoch if not (live and status.phase) else clip(status.phase, 24)),
        (5, f"step {status.step:,}"),
        (4, f"{speed:>7} img/s" if live else ""),
        (6, _device(snapshot)),
    ]
    share_of_screen = snapshot.curves.get("train/screen_share")
    if live and share_of_screen is not None:
        pieces.append((7, f"screen {100 * share_of_screen.last:.1f} %"))
    # Room for the state, a name and a bar of some length stays.
    budget, chosen = width - 34, set[int]()
    for rank, text in sorted(pieces):
        if text and len(text) + 2 <= budget:
            chosen.add(rank)
            budget -= len(text) + 2
    return [text for rank, text in pieces if rank in chosen]


def seconds_left(snapshot: RunSnapshot) -> float | None:
    """Estimate the training seconds left by the pace of the last quarter of the run."""
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


def clock(seconds: float | None) -> str:
    """Return a span of time as 3:12 or 1:04:05."""
    if seconds is None:
        return UNKNOWN
    minutes, second = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def _device(snapshot: RunSnapshot) -> str:
    status = snapshot.status
    if not status.device:
        return ""
    memory = f" {status.memory_bytes / 2**30:.1f} GiB" if status.memory_bytes else ""
    return status.device.split(" ")[0] + memory


def _preset_name(snapshot: RunSnapshot) -> str:
    return str(snapshot.provenance.get("preset") or snapshot.name)


def _seed(snapshot: RunSnapshot) -> str:
    seed = snapshot.preset.get("train", {}).get("seed")
    return UNKNOWN if seed is None else str(seed)


def _count(epoch: float) -> str:
    return f"{epoch:.1f}" if epoch % 1 else f"{epoch:.0f}"


def _last(snapshot: RunSnapshot, metric: str) -> float | None:
    curve = snapshot.curves.get(metric)
    return curve.last if curve is not None else None
