"""What the machine does while a run is training on it: figures, history, the run's share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.runs.ranks_file import RankStatus
from tui_latent.runtime.gpu_load import GpuLoad, GpuProcess
from tui_latent.runtime.machine_load import MachineLoad
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.format import UNKNOWN, clip
from tui_latent.tui.screens.dashboard.rank_lines import rank_lines, ranks_summary

_KEPT: Final = 120
"""readings, four seconds apart: a terminal over SSH is sent the graphs with each"""
_NAME: Final = 7
_LEAST_GRAPH, _MOST_GRAPH = 4, 40
_GIB: Final = 1 << 30
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_SLOWEST: Final = 1e6
"""bytes per second that a full column of the disk's graph stands for, at least"""


@dataclass(frozen=True)
class LoadLine:
    """One line: a name, the history of a share, a figure, and more about it."""

    name: str
    shares: Sequence[float | None]
    """oldest first, 0..1"""
    figure: str
    more: str = ""
    """the run's part of it, in brackets; for a GPU, also its temperature and power"""


class MachinePanel(ChartPanel):
    """Shows a line each for GPU, CPU, memory and disk, or a single line for all of them.

    Where several processes train the run, their lines follow.
    """

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "machine")
        self._readings: deque[MachineLoad] = deque(maxlen=_KEPT)
        self._ranks: tuple[RankStatus, ...] = ()

    def show(self, load: MachineLoad | None, ranks: tuple[RankStatus, ...] = ()) -> None:
        """Add a reading, None for a run on another machine, and what its ranks do."""
        if load is None or (self._readings and self._readings[-1].pid != load.pid):
            self._readings.clear()
        self._ranks = ranks
        if load is not None:
            self._readings.append(load)
        self.set_class(load is not None and bool(load.gpus), "-gpu")
        self.set_class(load is not None and bool(_others(load)), "-shared")
        self.set_class(bool(ranks), "-ranks")
        self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Write the newest reading, with the ones before it."""
        readings, ranks = list(self._readings), self._ranks

        def draw() -> Drawing:
            titles = ("Machine · in brackets: this run", "Machine · [run]", "Machine")
            if not readings and not ranks:
                return Drawing((), titles)
            if height == 1:
                return Drawing([_strip(summary(readings, ranks, width), width)], titles)
            lines = load_lines(readings) if readings else []
            room = height - len(lines)
            found = rank_lines(ranks, room, width - _NAME - 1)
            lines += [LoadLine(name, (), text) for name, text in found]
            lines = lines[:height]
            figures = max((len(line.figure) for line in lines if line.shares), default=0)
            room = width - _NAME - figures - 3
            more = max(len(line.more) for line in lines)
            more = more if room >= more else 0
            graph = min(room - more - 1, _MOST_GRAPH)
            graph = graph if graph >= _LEAST_GRAPH else 0
            return Drawing([_line(line, graph, figures, more, width) for line in lines], titles)

        return draw


def load_lines(readings: Sequence[MachineLoad]) -> list[LoadLine]:
    """Return the lines of the newest reading, the most important first."""
    now = readings[-1]
    lines: list[LoadLine] = []
    for gpu in now.gpus:
        name = "GPU" if len(now.gpus) == 1 else f"GPU {gpu.index}"
        past = [_gpu(reading, gpu.index) for reading in readings]
        shares = [None if one is None else one.busy for one in past]
        own = _bracket(_percent(gpu.share_of(now.pid)))
        about = " ".join(filter(None, (own, _warmth(gpu))))
        lines.append(LoadLine(name, shares, _percent(gpu.busy), about))
        has = f"{_gib(gpu.used)}/{_gib(gpu.total)} GiB"
        filled = [None if one is None else _part(one.used, one.total) for one in past]
        lines.append(LoadLine(" memory", filled, has, _bracket(_gib(gpu.memory_of(now.pid)))))
    busy = [reading.cpu for reading in readings]
    run = UNKNOWN if now.run_cores is None else f"{now.run_cores:.1f} cores"
    lines.append(LoadLine("CPU", busy, _percent(now.cpu), _bracket(run)))
    filled = [_part(reading.memory_used, reading.memory_total) for reading in readings]
    has = f"{_gib(now.memory_used)}/{_gib(now.memory_total)} GiB"
    lines.append(LoadLine("memory", filled, has, _bracket(_gib(now.run_memory))))
    moved = [reading.io for reading in readings]
    most = max([_SLOWEST, *(rate for rate in moved if rate is not None)])
    shares = [None if rate is None else rate / most for rate in moved]
    lines.append(LoadLine("disk", shares, _speed(now.io), _bracket(_speed(now.run_io))))
    return [*lines, *(LoadLine("also", (), text) for text in _others(now))]


def summary(readings: Sequence[MachineLoad], ranks: Sequence[RankStatus], width: int) -> str:
    """Return the newest reading in one line: what fits, the most important first."""
    parts = ranks_summary(ranks) if ranks else []
    for load in readings[-1:]:
        parts += [f"GPU {_percent(gpu.busy)}" for gpu in load.gpus]
        parts.append(f"CPU {_percent(load.cpu)}")
        parts.append(f"memory {_gib(load.memory_used)}/{_gib(load.memory_total)} GiB")
        parts.append(f"disk {_speed(load.io)}")
    text = ""
    for part in parts:
        longer = f"{text} · {part}" if text else f" {part}"
        if len(longer) > width:
            break
        text = longer
    return text


def _others(load: MachineLoad) -> list[str]:
    """Describe the other processes on the GPUs, the largest first."""
    several = len(load.gpus) > 1
    return [
        f"{_process(process)}{f' on GPU {gpu.index}' if several else ''}"
        for gpu in load.gpus
        for process in gpu.others(load.pid)
    ]


def _process(process: GpuProcess) -> str:
    words = process.words or "another container's process"
    size = "" if process.memory is None else f", {_gib(process.memory)} GiB"
    share = f", {_percent(process.busy)}" if process.busy else ""
    return f"{words}, PID {process.pid}{size}{share}"


def _gpu(reading: MachineLoad, index: int) -> GpuLoad | None:
    return next((gpu for gpu in reading.gpus if gpu.index == index), None)


def _warmth(gpu: GpuLoad) -> str:
    parts = []
    if gpu.celsius is not None:
        parts.append(f"{gpu.celsius} °C")
    if gpu.watts is not None:
        limit = "" if gpu.watt_limit is None else f"/{gpu.watt_limit:.0f}"
        parts.append(f"{gpu.watts:.0f}{limit} W")
    return " ".join(parts)


def _part(used: int | None, total: int | None) -> float | None:
    return None if used is None or not total else used / total


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.0f} %"


def _gib(size: int | None) -> str:
    return UNKNOWN if size is None else f"{size / _GIB:.1f}"


def _speed(rate: float | None) -> str:
    return UNKNOWN if rate is None else f"{rate / 1e6:.1f} MB/s"


def _bracket(text: str) -> str:
    return "" if text == UNKNOWN else f"[{text}]"


def _line(line: LoadLine, graph: int, figures: int, more: int, width: int) -> Strip:
    if not line.shares:  # a sentence, which may take the whole line
        return _strip(f" {line.name:<{_NAME}}{clip(line.figure, width - _NAME - 1)}", width)
    return Strip(
        [
            Segment(f" {line.name:<{_NAME}}", Style(dim=True)),
            Segment(_graph(line.shares, graph), Style(dim=True)),
            Segment(f" {line.figure:>{figures}} "),
            Segment(line.more[:more], Style(dim=True)),
        ]
    ).adjust_cell_length(width)


def _graph(shares: Sequence[float | None], room: int) -> str:
    """Draw the newest shares, each a column of a height from 0 to 1; unknown ones are empty."""
    shown = shares[-room:] if room > 0 else ()
    columns = [
        " " if share is None else _LEVELS[min(int(share * len(_LEVELS)), len(_LEVELS) - 1)]
        for share in shown
    ]
    return "".join(columns).rjust(max(room, 0))


def _strip(text: str, width: int) -> Strip:
    return Strip([Segment(text, Style(dim=True))]).adjust_cell_length(width)
