"""The dashboard's verdict on latents that have collapsed: it comes and goes with the collapse."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, dashboard, screen_text, until
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.screens.dashboard.run_verdict import RunVerdict


def evaluated(writer: RunWriter, step: int, collapsed: bool) -> None:
    """Write the figures of one evaluation."""
    figures = {"effective_rank": 2.24 if collapsed else 1.98, "uniformity": -0.282}
    figures |= {"std_mean": 4.82, "collapsed": float(collapsed)}
    values = {f"latent/{name}": value for name, value in figures.items()}
    writer.metrics(step, step / 60, step / 10, values)


def line(pilot: Pilot[int]) -> str:
    return pilot.app.screen.query_one(RunVerdict).text


async def test_it_comes_with_a_collapse_and_goes_with_it(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    evaluated(writer, 780, collapsed=False)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(120, 40)) as pilot:
        screen = await dashboard(pilot)
        await until(pilot, lambda: screen.query_one(RunVerdict).verdict is not None)
        assert line(pilot) == "" and screen.query_one(RunVerdict).size.height == 0
        evaluated(writer, 840, collapsed=True)
        await until(pilot, lambda: line(pilot).startswith("✗ Collapsed since step 840"))
        assert "effective rank 2.24 of 2; most latents lie in one direction." in line(pilot)
        assert screen.query_one(RunVerdict).has_class("-bad")
        evaluated(writer, 900, collapsed=False)
        await until(pilot, lambda: line(pilot) == "")
    writer.close()


async def test_a_failure_is_reported_once_with_the_collapse_below_it(tmp_path: Path) -> None:
    writer = trained_run(tmp_path, state="failed", error="the loss is NaN")
    evaluated(writer, 780, collapsed=True)
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "ollapsed" in line(pilot))
        assert len(line(pilot)) <= 80
        assert screen_text(pilot).count("the loss is NaN") == 1
