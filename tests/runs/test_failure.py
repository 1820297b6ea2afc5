from __future__ import annotations

from tui_latent.runs.failure import failure_line
from tui_latent.runs.schema import Status


def test_a_failed_run_has_a_line_with_its_step_and_reason() -> None:
    status = Status(state="failed", step=1240, error="info_nce became nan\nthe rest of it")
    assert failure_line(status) == (
        "The run failed at step 1,240, and its results end there: info_nce became nan"
    )
    assert "no reason was recorded" in failure_line(Status(state="failed"))


def test_other_runs_have_no_such_line() -> None:
    assert failure_line(Status(state="stopped", error="an earlier one")) == ""
