"""The run under the cursor: figures, differences from its preset, curve and map."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tui_latent.nouns import counted
from tui_latent.tui.foreign_runs import POINT_KINDS
from tui_latent.tui.format import UNKNOWN, age, clock, number
from tui_latent.tui.screens.menu.run_columns import BY_ID
from tui_latent.tui.thread_failures import TellsFailures
from tui_latent.tui.wrapping import wrap

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSnapshot, RunSummary
    from tui_latent.verdict import Verdict

_AFTER: Final = 0.15
"""seconds for which the cursor must rest before a run is read"""
_LABEL: Final = 9
"""cells of the labels' column"""
_ROOM_FOR_MAP: Final = 4
"""fewest lines of a map"""
_BESIDE: Final = 64
"""fewest cells at which the map is beside the words"""


@dataclass
class RunRead(Message):
    """The folder of the run under the cursor was read."""

    summary: RunSummary
    snapshot: RunSnapshot
    verdict: Verdict


class RunPreview(TellsFailures, Vertical):
    """Shows at once what the list knows of a run, and the rest once it has been read."""

    DEFAULT_CSS = """
    RunPreview { padding: 0 1; }
    RunPreview > Static { width: 1fr; height: auto; }
    RunPreview > MiniMap { width: 1fr; height: 1fr; display: none; }
    RunPreview.-map > MiniMap { display: block; }
    RunPreview.-beside { layout: horizontal; }
    RunPreview.-beside > MiniMap { margin-left: 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._run: RunSummary | None = None
        self._snapshot: RunSnapshot | None = None
        self._verdict: Verdict | None = None
        self._now = 0.0
        self._unread = False
        self._timer: Timer | None = None
        self._lines: list[Content] = []

    def compose(self) -> ComposeResult:
        yield Static(markup=False)
        yield MiniMap()

    def show(self, run: RunSummary | None, now: float) -> None:
        """Describe a run, or none; `now` is the Unix time."""
        same = run is not None and self._run is not None and run.path == self._run.path
        if run == self._run:
            return
        self._run, self._now = run, now
        if not same:
            self._snapshot = self._verdict = None
            self.query_one(MiniMap).show(None)
        self._draw()
        self._unread = run is not None and not run.problem
        self._read_soon()

    def tell_time(self, now: float) -> None:
        """Update how long ago the run was started; `now` is the Unix time."""
        self._now = now
        if self.display:
            self._draw()

    def on_show(self) -> None:
        """Read the run that came under the cursor while a preset was described."""
        self._read_soon()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= _BESIDE, "-beside")
        self._draw()

    def _read_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._unread:
            self._timer = self.set_timer(_AFTER, self._read)

    def _read(self) -> None:
        # A live run changes every few seconds, which is no reason to read it unseen.
        if self._run is not None and self._unread and self.display:
            self._unread = False
            self._read_run(self._run)

    @work(thread=True, group="preview", exclusive=True, exit_on_error=False)
    def _read_run(self, run: RunSummary) -> None:
        from tui_latent.runs.evaluations import newest_evaluation
        from tui_latent.runs.reader import RunReader
        from tui_latent.runs.schema import RunError
        from tui_latent.verdict import judge

        with suppress(RunError, OSError):  # deleted meanwhile; the list says what cannot be read
            snapshot = RunReader(run.path).refresh()
            verdict = judge(snapshot, newest_evaluation(run.path))
            self.post_message(RunRead(run, snapshot, verdict))

    def on_run_read(self, event: RunRead) -> None:
        """Show the map and the curve of the run, unless the cursor has moved on."""
        event.stop()
        if self._run is not None and event.summary.path == self._run.path:
            self._snapshot, self._verdict = event.snapshot, event.verdict
            self.query_one(MiniMap).show(event.snapshot)
            self._draw()

    def _draw(self) -> None:
        beside = self.has_class("-beside")
        width = max(20, (self.size.width - 2) // 2 if beside else self.size.width - 2)
        lines: list[Content] = []
        if self._run is not None:
            lines = preview_lines(self._run, self._snapshot, width, self._now, self._verdict)
        words = self.query_one(Static)
        words.styles.width = width if beside else "1fr"
        if lines != self._lines:
            self._lines = lines
            words.update(Content("\n").join(lines))
        mapped = self._snapshot is not None and self._snapshot.map is not None
        room = self.size.height if beside else self.size.height - len(lines)
        self.set_class(mapped and room >= _ROOM_FOR_MAP, "-map")


def preview_lines(
    run: RunSummary,
    snapshot: RunSnapshot | None,
    width: int,
    now: float,
    verdict: Verdict | None = None,
) -> list[Content]:
    """Return the words about a run in lines of `width` cells; `snapshot` once it has been read."""
    lines: list[Content] = []
    if run.labels.name:
        lines += _entry("folder", run.name, width)
    state = BY_ID["state"].text(run, now)
    started = f"{age(max(0.0, now - run.created))} ago".replace("now ago", "just now")
    since = "made" if run.queued or run.status.unbegun else "started"
    state = f"{state} {started}" if run.method == "opened" else f"{state}, {since} {started}"
    if len(state) > width - _LABEL:  # a line each, instead of a break in the middle of a time
        first, _, second = state.partition(f", {since} ")
        lines += _entry("state", first, width)
        lines += _entry(since, second, width) if second else []
    else:
        lines += _entry("state", state, width)
    if run.problem:
        return lines + _entry("problem", run.problem, width, "$text-error")
    if run.status.error:
        lines += _entry("", run.status.error, width, "$text-error")
    # Two lines full of whole sentences: wrapped at words, they take three at most.
    elif verdict is not None and (said := verdict.line(2 * max(10, width - _LABEL))):
        lines += _entry("verdict", said, width)
    lines += _figures(run, snapshot, width)
    if run.labels.tags:
        lines += _entry("tags", " ".join(f"#{tag}" for tag in run.labels.tags), width)
    if run.labels.notes:
        lines += _entry("notes", run.labels.notes, width)
    return lines


def _figures(run: RunSummary, snapshot: RunSnapshot | None, width: int) -> list[Content]:
    """Return the lines that say where a run comes from and how well it does."""
    if run.method == "sweep":
        ended = f"{run.status.step} of {counted(run.status.total_steps, 'run')} ended"
        best = f"{number(run.best_knn_20)} best of all"
        parts = (("sweep", ended), ("preset", run.preset), ("kNN@20", best))
        return [line for name, text in parts for line in _entry(name, text, width)]
    foreign = run.method in ("watched", "opened")
    lines: list[Content] = []
    if run.knn_20 is not None or not (foreign or _is_unlabelled(snapshot)):
        lines += _entry("kNN@20", _accuracy(run, snapshot), width)
    elif found := _retrieval(snapshot):
        lines += _entry("views", found, width)
    if not foreign:
        lines += _entry("preset", _preset(run), width)
    if run.loss is not None or not foreign:
        lines += _entry("loss", _loss(run, snapshot, width - _LABEL), width)
    took = clock(run.status.seconds) if run.status.seconds else UNKNOWN
    if not foreign:
        seed = UNKNOWN if run.seed is None else run.seed
        epochs = counted(round(run.status.epoch), "epoch")
        return lines + _entry("trained", f"{took}, {epochs}, seed {seed}", width)
    if run.method == "watched":
        lines += _entry(
            "trained", f"{took}, {counted(run.status.step, 'step')} of its own loop", width
        )
    return lines + _contents(snapshot, width)


def _is_unlabelled(snapshot: RunSnapshot | None) -> bool:
    return snapshot is not None and snapshot.map is not None and not snapshot.map.class_names


def _retrieval(snapshot: RunSnapshot | None) -> str:
    """Say how often the other view of an image is the nearest, if that was measured."""
    value = None if snapshot is None else snapshot.newest("val/view_retrieval_1")
    return "" if value is None else f"{number(value)} of images are nearest to their other view"


def _contents(snapshot: RunSnapshot | None, width: int) -> list[Content]:
    """Say how many latents a run from elsewhere has, and of how many classes."""
    if snapshot is None or snapshot.map is None:
        return []
    count, classes = len(snapshot.map.points), len(snapshot.map.class_names)
    kinds = counted(classes, "class") if classes else "no labels"
    maps = counted(len(snapshot.map_steps), "map")
    points = counted(count, POINT_KINDS[snapshot.origin])
    label = "vectors" if snapshot.origin == "opened" else "latents"
    return _entry(label, f"{points}, {kinds}, {maps}", width)


def _accuracy(run: RunSummary, snapshot: RunSnapshot | None) -> str:
    words = f"{number(run.knn_20)} newest, {number(run.best_knn_20)} best"
    words = "not measured" if run.knn_20 is None and run.best_knn_20 is None else words
    promised = snapshot.preset.get("expect", {}).get("val/knn_20") if snapshot else None
    return f"{words}; promised {number(promised)}" if isinstance(promised, float) else words


def _preset(run: RunSummary) -> str:
    if not run.preset:
        return UNKNOWN
    return f"{run.preset} with {', '.join(run.changes)}" if run.changes else run.preset


def _loss(run: RunSummary, snapshot: RunSnapshot | None, room: int) -> str:
    value = number(run.loss)
    curve = snapshot.curves.get("train/loss") if snapshot is not None else None
    cells = room - len(value) - 1
    if curve is None or cells < 8 or len(curve.means) < 2:
        return value
    from tui_latent.tui.charts.raster import sparkline

    return f"{sparkline(curve.means, min(cells, 40))} {value}"


def _entry(label: str, text: str, width: int, style: str = "") -> list[Content]:
    room = max(10, width - _LABEL)
    wrapped = [line for part in text.splitlines() for line in wrap(part, room, most=4)]
    return [
        Content.assemble((f"{label if index == 0 else '':{_LABEL}}", "dim"), (line, style))
        for index, line in enumerate(wrapped or [UNKNOWN])
    ]


class MiniMap(Widget):
    """The newest map of a run, without axes."""

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: RunSnapshot | None = None
        self._strips: list[Strip] = []
        self._dark = True

    def show(self, snapshot: RunSnapshot | None) -> None:
        """Draw the map of a run, or nothing."""
        self._snapshot = snapshot
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def notify_style_update(self) -> None:
        """Draw the map again when a theme with the other background is chosen."""
        super().notify_style_update()
        if self.app.current_theme.dark is not self._dark:
            self._draw()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(width)
        return strip.apply_style(self.visual_style.rich_style)

    def _draw(self) -> None:
        self._dark = self.app.current_theme.dark
        shown = None if self._snapshot is None else self._snapshot.map
        if shown is None:
            self._strips = []
        elif self.size.area:
            from tui_latent.tui.screens.menu.mini_map import map_strips

            colored = not self.app.no_color
            self._strips = map_strips(shown, *self.size, colored=colored, dark=self._dark)
        self.refresh()
