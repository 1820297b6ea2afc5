"""The line about a failed run that is shown wherever its results are."""

from __future__ import annotations

from typing import Protocol


class Ended(Protocol):
    """How a run ended: its status, or what a report knows of it."""

    @property
    def state(self) -> str:
        """State, as in the status."""
        ...

    @property
    def step(self) -> int:
        """Last step."""
        ...

    @property
    def error(self) -> str | None:
        """Reason of the failure."""
        ...


def failure_line(run: Ended) -> str:
    """Return one line that says at which step and why a run failed; empty if it did not."""
    if run.state != "failed":
        return ""
    reason = (run.error or "no reason was recorded").partition("\n")[0]
    return f"The run failed at step {run.step:,}, and its results end there: {reason}"
