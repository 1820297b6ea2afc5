"""What the dashboard shows of metrics that mean nothing: no number, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.made_runs import clusters, trained_run
from tests.tui.pilots import MenulessApp, dashboard, until
from tui_latent.runs.reader import RunReader
from tui_latent.tui.charts.line_chart import ChartOptions, value_strips
from tui_latent.tui.charts.panel import ChartPanel
from tui_latent.tui.screens.dashboard.views import knn_series

WHY = "there are 16 training images to choose the 20 nearest from"


def text_of(pilot: Pilot[int], panel: str) -> str:
    shown = pilot.app.screen.query_one(f"#{panel}", ChartPanel)
    lines = [shown.render_line(y).text for y in range(shown.content_size.height)]
    return " ".join(" ".join(lines).split())


@pytest.mark.slow
async def test_the_panels_say_why_and_show_no_number(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    before = RunReader(writer.path).refresh()
    assert before.newest("val/knn_20") is not None
    one = "one held-out image is too few for collapse metrics"
    missing = {"val/knn_20": WHY, "latent/effective_rank": one}
    writer.latent_map(clusters(100, 3), None, missing)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(160, 50)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: WHY in text_of(pilot, "knn"))
        assert "k=20 –" in text_of(pilot, "knn")
        await until(pilot, lambda: f"rank – {one[:20]}" in text_of(pilot, "space"))
        await until(pilot, lambda: WHY in text_of(pilot, "confusion"))
    writer.close()


def test_an_earlier_evaluation_still_has_its_number(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    writer.latent_map(clusters(100, 3), None, {"val/knn_20": WHY})
    writer.close()
    series, _ = knn_series(RunReader(writer.path).refresh())
    newest, earlier = (
        "".join(
            segment.text
            for strip in value_strips(series, 80, 3, ChartOptions(at=at))
            for segment in strip
        )
        for at in (None, 300)
    )
    assert "k=20 –" in newest
    assert "k=20 –" not in earlier
