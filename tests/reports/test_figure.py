"""What a report looks like: nothing overlaps, nothing is cut, no panel is blank."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from tests.reports.conftest import MakeRun
from tests.reports.looks import Drawn, require_tidy
from tui_latent.palettes import class_color
from tui_latent.reports.figure import draw_report
from tui_latent.reports.numbers import report_numbers
from tui_latent.reports.samples import collect_samples
from tui_latent.reports.style import RC
from tui_latent.runs.reader import RunReader
from tui_latent.runs.writer import RunWriter

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ODD = (
    "$\\alpha$ $x_1$",
    "[red]",
    "a class whose name goes on and on, 1234567890",
    "猫",
    "",
    "%s\t{0}",
)

SHAPES: dict[str, dict[str, Any]] = {
    "ten classes": {},
    "ten words, three dimensions": {"names": CIFAR, "dimensions": 3, "each": 60},
    "a hundred classes": {"names": tuple(f"pickup_truck_{i}" for i in range(100)), "dimensions": 9},
    "one class": {"names": ("only",)},
    "odd names": {"names": ODD, "name": "n" * 100, "shape": (1, 9, 30)},
    "not evaluated": {"evaluated": False, "provenance": {}},
}


def drawn(run: Path) -> Figure:
    snapshot = RunReader(run).refresh()
    samples = collect_samples(run, len(snapshot.class_names), 0)
    with style.context(["default", RC]):
        figure = draw_report(report_numbers(snapshot, samples), snapshot.map, samples)
        figure.canvas.draw()
    return figure


def pixels(figure: Figure) -> np.ndarray[Any, Any]:
    assert isinstance(figure.canvas, FigureCanvasAgg)
    return np.array(figure.canvas.renderer.buffer_rgba())[:, :, :3]


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_overlaps_or_leaves_the_page(
    make_run: MakeRun, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(**SHAPES[shape])
    shown = Drawn(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = drawn(run)
    assert len(shown.texts) > 10
    assert figure.canvas.get_width_height()[1] < 2600
    require_tidy(figure, shown)


def test_no_panel_is_blank_and_every_class_has_its_name_and_colour(make_run: MakeRun) -> None:
    figure = drawn(make_run(CIFAR))
    paper = pixels(figure)
    height, width, _ = paper.shape
    panels = 0
    for axes in figure.axes:
        x0, y0, x1, y1 = axes.get_position().extents
        rows = slice(int((1 - y1) * height), int((1 - y0) * height))
        part = paper[rows, int(x0 * width) : int(x1 * width)]
        if len(part) > 100:  # not a legend or the foot's rule
            panels += 1
            assert len(np.unique(part[::2, ::2].reshape(-1, 3), axis=0)) > 20
            assert (part < 200).any(axis=2).mean() > 0.005
    assert panels == 6
    assert {axes.get_yscale() for axes in figure.axes} == {"linear"}, "nothing spans decades"
    texts = [text.get_text() for text in figure.findobj(Text)]
    seen = {tuple(pixel) for pixel in paper.reshape(-1, 3)[::3].tolist()}
    for label, name in enumerate(CIFAR):
        # on the map, in the legend, on both axes of the matrix, above the neighbours
        assert texts.count(name) >= 5, name
        assert class_color(label, dark=False) in seen, name


def test_values_that_are_not_finite_are_reported(make_run: MakeRun) -> None:
    run = make_run()
    writer = RunWriter.reopen(run)
    lost = {"train/loss": float("nan"), "train/info_nce": float("nan"), "val/knn_20": float("nan")}
    writer.metrics(210, 21.0, 105.0, lost)
    writer.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = drawn(run)
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "total NaN (1 not finite)" in texts
    assert "NaN" in texts, "the key figure"


def test_a_run_that_never_had_a_finite_value(make_run: MakeRun) -> None:
    run = make_run(evaluated=False)
    writer = RunWriter.reopen(run)
    writer.metrics(10, 1.0, 5.0, {"train/loss": float("inf"), "val/knn_20": float("nan")})
    writer.close()
    texts = [text.get_text() for text in drawn(run).findobj(Text)]
    assert texts.count("no recorded value is finite") == 2


def test_a_loss_that_spans_decades_is_logarithmic(make_run: MakeRun) -> None:
    run = make_run()
    writer = RunWriter.reopen(run)
    writer.metrics(210, 21.0, 105.0, {"train/loss": 1e-4})
    writer.close()
    scales = {axes.get_yscale() for axes in drawn(run).axes}
    assert scales == {"linear", "log"}


def test_terms_of_the_loss_are_drawn_as_they_count_in_it(make_run: MakeRun) -> None:
    texts = [text.get_text() for text in drawn(make_run()).findobj(Text)]
    last = 0.9 * (6 * math.exp(-3) + 0.3)
    assert any("terms as they count" in text for text in texts)
    (norm,) = [text for text in texts if text.startswith("norm ")]
    assert float(norm.split()[1]) == pytest.approx(0.01 * last, rel=0.01)
