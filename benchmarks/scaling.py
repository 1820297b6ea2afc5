"""How costs grow: a training step, an evaluation, the map, the curves, and opening a long run.

python -m benchmarks.scaling            about 10 minutes; writes docs/scaling.png too
python -m benchmarks.scaling --most 10000 --no-picture    a try of a minute

Each point is the median of several times on made data, so nothing is downloaded. The exponent is
the slope of a straight line through the upper half of the points in logarithmic axes: 1 where
ten times as much takes ten times as long, 0 where size does not matter.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks.explorer import made_map
from benchmarks.lightly_step import made_images, nt_xent_preset
from benchmarks.neighbours import latents
from benchmarks.our_steps import Ours
from benchmarks.record import Row, save
from benchmarks.rounds import use_all_cores
from tui_latent.map_frame import settle_frame
from tui_latent.metrics.knn import evaluate_knn
from tui_latent.runs.curve_cache import NAME as KEPT_NAME
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.records import record_line
from tui_latent.tui.charts.line_chart import ChartOptions, Series, draw_chart
from tui_latent.tui.charts.scatter_drawing import draw_map
from tui_latent.tui.screens.dashboard.views import live_scene

PICTURE = Path(__file__).parents[1] / "docs" / "scaling.png"
MAP_CELLS, CHART_CELLS = (72, 34), (46, 14)
"""columns and lines of the map in the dashboard at 120x40"""
QUERIES = 1000
REPEATS = 3
OPENED_WITHIN = 1.0
"""seconds in which a run of a million records must open"""


@dataclass(frozen=True)
class Scaling:
    """Seconds by size."""

    what: str
    unit: str
    sizes: list[int]
    seconds: list[float]

    @property
    def exponent(self) -> float:
        """Slope of log seconds over log size, upper half."""
        half = len(self.sizes) // 2
        x, y = np.log(self.sizes[half:]), np.log(self.seconds[half:])
        return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else float("nan")

    def row(self) -> Row:
        """Return the range and the exponent."""
        ends = (0, -1)
        words = " … ".join(f"{1000 * self.seconds[i]:.3g} ms at {self.sizes[i]:,}" for i in ends)
        numbers: dict[str, object] = {"sizes": self.sizes, "seconds": self.seconds}
        numbers["exponent"] = self.exponent
        goal, reached = "–", None
        if self.what == OPENING:
            goal, reached = "≤ 1 s at 1,000,000", None
            if self.sizes[-1] >= 1_000_000:
                reached = self.seconds[-1] <= OPENED_WITHIN
        return Row(
            f"{self.what}, by {self.unit}",
            goal,
            f"{words}; exponent {self.exponent:.2f}",
            reached,
            numbers,
        )


OPENING = "opening a run with cached curves"


def timed(work: Callable[[], object]) -> float:
    """Return the median seconds of some calls, after one to warm up."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def powers(first: int, last: int, factor: int) -> list[int]:
    """Return first, first * factor, … up to last."""
    return list(takewhile(lambda size: size <= last, (first * factor**i for i in count())))


def measured(what: str, unit: str, sizes: Sequence[int], of: Callable[[int], float]) -> Scaling:
    """Time every size."""
    return Scaling(what, unit, list(sizes), [of(size) for size in sizes])


def step_seconds(images: Path, batch: int, latent_dim: int) -> float:
    """Return the seconds of one training step of the small network."""
    settings = nt_xent_preset(images)
    train = settings.train.model_copy(update={"batch_size": batch, "log_every": 10**6})
    method = settings.method.model_copy(update={"latent_dim": latent_dim})
    settings = settings.model_copy(update={"train": train, "method": method})
    ours = Ours(settings, steps=5)
    return statistics.median(batch / ours() for _ in range(REPEATS))


def knn_seconds(bank_size: int, dimensions: int) -> float:
    """Return the seconds of kNN as an evaluation measures it, for 1,000 held-out latents."""
    bank, queries = latents(bank_size, dimensions, 1), latents(QUERIES, dimensions, 2)
    labels = torch.arange(bank_size) % 10
    return timed(lambda: evaluate_knn(bank, labels, queries, labels[:QUERIES], classes=10))


def map_seconds(points: int) -> float:
    """Return the seconds of drawing a new map."""
    latent_map = made_map(points)

    def draw() -> None:
        scene = live_scene(latent_map)
        assert scene is not None
        draw_map(scene, settle_frame(latent_map.points), *MAP_CELLS, True)

    return timed(draw)


def made_metrics(folder: Path, records: int) -> Path:
    """Write the records of a run of five metrics."""
    generator = np.random.default_rng(0)
    path = folder / "metrics.jsonl"
    (folder / KEPT_NAME).unlink(missing_ok=True)
    names = ("loss", "info_nce", "norm", "lr", "images_per_second")
    with path.open("wb") as file:
        for step in range(records):
            drawn = zip(names, generator.random(5).tolist(), strict=True)
            values = {f"train/{name}": value for name, value in drawn}
            file.write(record_line(10 * step, step / 100, step / 10, values) + b"\n")
    return path


def opened(path: Path) -> MetricsReader:
    """Open a run's curves anew."""
    reader = MetricsReader(path)
    reader.refresh()
    return reader


def steps_logged(sizes: Sequence[int]) -> list[Scaling]:
    """Time reading, opening, following and drawing runs of these many records."""
    columns: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for size in sizes:
            path = made_metrics(Path(name), size)
            start = time.perf_counter()
            reader = opened(path)
            columns.setdefault("reading all of a run", []).append(time.perf_counter() - start)
            reader.keep()
            columns.setdefault(OPENING, []).append(timed(partial(opened, path)))
            start = time.perf_counter()
            with path.open("ab") as file:
                for step in range(10 * size, 10 * size + 100):
                    file.write(record_line(step, 0.0, 0.0, {"train/loss": 1.0}) + b"\n")
            reader.refresh()
            columns.setdefault("following 100 new records", []).append(time.perf_counter() - start)
            series = [Series("loss", (255, 255, 255), reader.curves["train/loss"])]
            chart = timed(partial(draw_chart, series, ChartOptions(), *CHART_CELLS, False))
            columns.setdefault("drawing a chart", []).append(chart)
    return [Scaling(what, "logged steps", list(sizes), times) for what, times in columns.items()]


def picture(scalings: Sequence[Scaling]) -> None:
    """Plot all in logarithmic axes, a panel per unit."""
    units = list(dict.fromkeys(s.unit for s in scalings))
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    for axes, unit in zip(figure.subplots(1, len(units)), units, strict=True):
        for scaling in (s for s in scalings if s.unit == unit):
            label = f"{scaling.what}, {scaling.exponent:.2f}"
            axes.loglog(scaling.sizes, scaling.seconds, "o-", markersize=3, label=label)
        axes.set_xlabel(unit)
        axes.grid(alpha=0.15)
        axes.legend(fontsize=7, frameon=False, loc="upper left", title="with exponent")
        axes.get_legend().get_title().set_fontsize(7)
        axes.set_ylim(top=axes.get_ylim()[1] * 30)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("seconds")
    figure.savefig(PICTURE, dpi=130)


def main() -> None:
    """Measure, save and plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("--most", type=int, default=1_000_000, help="points, latents and records")
    parser.add_argument("--no-picture", action="store_true")
    asked = parser.parse_args()
    use_all_cores()
    many = powers(1000, asked.most, 10)
    with tempfile.TemporaryDirectory() as folder:
        images = made_images(Path(folder))
        scalings = [
            measured(
                "a step in 128-D",
                "batch",
                powers(32, 4096, 2),
                lambda b: step_seconds(images, b, 128),
            ),
            measured(
                "a step of 256",
                "latent dimension",
                powers(2, 2048, 4),
                lambda d: step_seconds(images, 256, d),
            ),
        ]
    scalings += [
        measured("kNN in 2-D", "latents", many, lambda n: knn_seconds(n, 2)),
        measured("kNN in 128-D", "latents", many, lambda n: knn_seconds(n, 128)),
        measured("drawing the map", "points", many, map_seconds),
        *steps_logged(many),
    ]
    save("scaling", "python -m benchmarks.scaling", [s.row() for s in scalings])
    if not asked.no_picture:
        picture(scalings)


if __name__ == "__main__":
    main()
