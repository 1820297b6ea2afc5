"""The dashboard's line about latents that have collapsed: a warning, and no failure."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, dashboard, until
from tui_latent.runs.writer import RunWriter


def evaluated(writer: RunWriter, step: int, collapsed: bool) -> None:
    """Write the figures of one evaluation."""
    figures = {"effective_rank": 2.24 if collapsed else 1.98, "uniformity": -0.282}
    figures |= {"std_mean": 4.82, "collapsed": float(collapsed)}
    values = {f"latent/{name}": value for name, value in figures.items()}
    writer.metrics(step, step / 60, step / 10, values)


def alarm(pilot: Pilot[int]) -> Static:
    return pilot.app.screen.query_one("#failure", Static)


async def test_it_comes_with_a_collapse_and_goes_with_it(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    evaluated(writer, 780, collapsed=False)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: not alarm(pilot).display)
        evaluated(writer, 840, collapsed=True)
        await until(pilot, lambda: alarm(pilot).display)
        text = str(alarm(pilot).content)
        assert text.startswith("Collapse: most latents lie along one direction")
        assert "rank 2.24, uniformity -.282, mean std 4.82" in text
        assert "Space to pause" in text and alarm(pilot).has_class("-warning")
        evaluated(writer, 900, collapsed=False)
        await until(pilot, lambda: not alarm(pilot).display)
    writer.close()


async def test_a_failure_has_the_line_before_a_collapse(tmp_path: Path) -> None:
    writer = trained_run(tmp_path, state="failed", error="the loss is NaN")
    evaluated(writer, 780, collapsed=True)
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "the loss is NaN" in str(alarm(pilot).content))
        assert not alarm(pilot).has_class("-warning")


async def test_a_finished_run_keeps_the_warning_without_a_word_of_pausing(tmp_path: Path) -> None:
    writer = trained_run(tmp_path, state="finished")
    evaluated(writer, 780, collapsed=True)
    writer.close()
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(80, 24)) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "Collapse" in str(alarm(pilot).content))
        assert "to pause" not in str(alarm(pilot).content)
