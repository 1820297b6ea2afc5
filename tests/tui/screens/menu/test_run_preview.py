"""What is said of the run under the cursor, where there is little room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.runs.schema import RunSummary, Status
from tui_latent.tui.screens.menu.run_preview import preview_lines


@pytest.mark.parametrize("width", [24, 30, 36, 44, 60])
@pytest.mark.parametrize("seconds", [0, 30, 120, 5000, 90_000, 9_000_000])
def test_when_a_run_was_started_is_never_broken_in_two(width: int, seconds: int) -> None:
    run = RunSummary(Path("run"), "run", "digits", Status(state="finished"), 0.0)
    lines = [line.plain for line in preview_lines(run, None, width, float(seconds))]
    assert sum("just now" in line or line.endswith(" ago") for line in lines) == 1
    assert "finished" in lines[0]
    assert all(len(line) <= width for line in lines[:2])
