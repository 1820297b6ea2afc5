"""What is said of a failed run wherever its results are shown."""

from __future__ import annotations

from typing import Protocol


class Ended(Protocol):
    """How a run ended: its status, or what a report knows of it."""

    @property
    def state(self) -> str:
        """As in the status."""
        ...

    @property
    def step(self) -> int:
        """The last one."""
        ...

    @property
    def error(self) -> str | None:
        """Why it failed."""
        ...


def failure_line(run: Ended) -> str:
    """Say in one line that a run failed, where and why; empty for a run that did not."""
    if run.state != "failed":
        return ""
    reason = (run.error or "no reason was recorded").partition("\n")[0]
    return f"The run failed at step {run.step:,}, and its results end there: {reason}"
