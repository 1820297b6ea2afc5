"""The metrics of the latent space as a person reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.style import Style

from tests.tui.made_runs import PRESET, clusters, new_run, running, write_records
from tests.tui.pilots import MenulessApp, all_drawn, panel_text, until
from tui_latent.metrics.collapse import collapse_signs
from tui_latent.runs.metric_specs import spec_of
from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.spark_lines import spark_lines
from tui_latent.tui.screens.dashboard.space_limits import Limit, limits
from tui_latent.tui.screens.dashboard.space_panel import measured_strip, metric_strips


def curve(values: list[float]) -> Curve:
    steps, means = np.arange(1.0, len(values) + 1) * 60, np.array(values)
    return Curve(steps, steps, means, means, means, values[-1], min(values))


def shown(values: list[float], limit: Limit, width: int = 50, height: int = 1) -> list[str]:
    strips = metric_strips("eff. rank", curve(values), limit, width, height, None, "")
    return [strip.text for strip in strips]


def test_a_line_says_name_direction_value_and_limit() -> None:
    (line,) = shown([1.0, 5.0], Limit("higher", least=3.0))
    assert line.split()[:6] == ["eff.", "rank", "↑", "5.00", ">", "3.00"]
    assert len(line) == 50
    (narrow,) = shown([1.0, 5.0], Limit("higher", least=3.0), 30)
    assert ">" not in narrow and len(narrow) == 30


def test_a_value_beyond_its_limit_is_marked_without_color() -> None:
    (line,) = metric_strips(
        "eff. rank", curve([5.0, 1.0]), limits(128)["latent/effective_rank"], 50, 1, None, ""
    )
    assert "! 1.00" in line.text
    assert any(style and style.reverse for text, style, _ in line if "!" in text)
    assert "!" not in shown([1.0, 5.0], limits(128)["latent/effective_rank"])[0]


def test_a_rising_metric_rises_and_a_constant_one_is_a_thin_line() -> None:
    lines = [
        "".join(s.text for s in row)
        for row in spark_lines(np.arange(9.0), np.arange(9.0), 20, 3, None)
    ]
    first = [next(i for i, mark in enumerate(line) if mark != " ") for line in lines]
    assert first == sorted(first, reverse=True)
    (flat,) = spark_lines(np.arange(9.0), np.full(9, 2.0), 20, 1, None)
    marks = "".join(segment.text for segment in flat)
    assert len(set(marks)) == 1 and bin(ord(marks[0]) - 0x2800).count("1") == 2  # of four rows


def test_a_limit_within_the_values_is_drawn() -> None:
    rows = spark_lines(np.arange(9.0), np.linspace(0, 9, 9), 20, 4, 3.0)
    assert any("┄" in segment.text for row in rows for segment in row)
    assert not any(
        "┄" in s.text
        for row in spark_lines(np.arange(9.0), np.arange(9.0), 20, 4, 50.0)
        for s in row
    )


def test_figures_with_and_without_a_history_are_in_one_column() -> None:
    (with_history,) = shown([1.0, 5.0], Limit("higher"))
    once = measured_strip(spec_of("clustering/silhouette"), 0.418, 50).text
    assert with_history.index("5.00") == once.index(".418")
    assert with_history.index("↑") == once.index("↑")


def test_few_segments_are_sent_to_the_terminal() -> None:
    (row,) = spark_lines(np.arange(40.0), np.sin(np.arange(40.0)), 30, 1, None)
    assert len(row) <= 3 and all(isinstance(segment.style, Style) for segment in row)


@pytest.mark.parametrize("dimensions", [2, 10, 128])
def test_the_limits_are_those_by_which_a_collapse_is_found(dimensions: int) -> None:
    known = limits(dimensions)
    rank, uniformity = known["latent/effective_rank"].least, known["latent/uniformity"].most
    point = known["latent/std_mean"].least
    assert rank is not None and uniformity is not None and point is not None
    for by in (-1e-6, 1e-6):
        figures = {"std_mean": 1.0, "effective_rank": rank + by, "uniformity": uniformity + 1e-6}
        assert bool(collapse_signs(figures, dimensions)) == (by < 0)
        figures = {"std_mean": 1.0, "effective_rank": rank - 1e-6, "uniformity": uniformity + by}
        assert bool(collapse_signs(figures, dimensions)) == (by > 0)
        figures = {"std_mean": point + by, "effective_rank": 99.0, "uniformity": -2.0}
        assert bool(collapse_signs(figures, dimensions)) == (by < 0)


@pytest.mark.slow
async def test_an_earlier_stage_of_a_finished_run_has_the_limits_of_its_dimensions(
    tmp_path: Path,
) -> None:
    stages = [{"epochs": 2, "latent_dim": 128}, {"epochs": 38, "latent_dim": 2}]
    writer = new_run(tmp_path, preset={**PRESET, "stages": stages})
    writer.lock()
    write_records(writer)
    writer.latent_map(replace(clusters(200, 10), step=60))
    writer.latent_map(clusters(200, 10))
    running(writer, state="finished")
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        for key, limit in (("]", "> 1.02"), ("[", "> 3.00"), ("]", "> 1.02")):
            await pilot.press(key)
            await until(pilot, lambda limit=limit: limit in panel_text(screen, "space"))  # type: ignore[misc]
