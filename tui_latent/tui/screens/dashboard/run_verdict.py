"""The dashboard's verdict line, judged in a thread after each evaluation and at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.message import Message
from textual.worker import get_current_worker

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.remapping import key_name
from tui_latent.tui.widgets.verdict_line import VerdictLine

if TYPE_CHECKING:
    from tui_latent.verdict import Verdict


class RunVerdict(VerdictLine):
    """Follows a run and judges it again when there is something new."""

    @dataclass
    class Judged(Message):
        """The run was judged."""

        verdict: Verdict
        evaluation: Mapping[str, Any] | None
        """the newest one, as its file has it"""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._snapshot: RunSnapshot | None = None
        self._verdict: Verdict | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The newest verdict; None before the run has been judged."""
        return self._verdict

    def follow(self, snapshot: RunSnapshot) -> None:
        """Judge the run if there is something new to judge."""
        before, self._snapshot = self._snapshot, snapshot
        if before is None or _judged_by(before) != _judged_by(snapshot):
            self.judge_again()

    def judge_again(self) -> None:
        """Judge the run; its evaluation may be a new one."""
        if self._snapshot is not None:
            self._judge(self._snapshot)

    @work(thread=True, exclusive=True, group="verdict")
    def _judge(self, snapshot: RunSnapshot) -> None:
        from tui_latent.runs.evaluations import newest_evaluation
        from tui_latent.verdict import judge

        worker = get_current_worker()
        evaluation = newest_evaluation(self._path)
        verdict = judge(snapshot, evaluation)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take, verdict, evaluation)

    def _take(self, verdict: Verdict, evaluation: Mapping[str, Any] | None) -> None:
        if self.is_mounted:
            self._verdict = verdict
            self.post_message(self.Judged(verdict, evaluation))
            key = key_name("verdict.open", self.app._keymap)
            self.show(_beside_failure(verdict), f"{key} shows why")


def _beside_failure(verdict: Verdict) -> Verdict:
    """Return what is left to say about a run below the line that says why it failed."""
    left = tuple(finding for finding in verdict.findings if finding.kind != "failed")
    return replace(verdict, findings=left)


def _judged_by(snapshot: RunSnapshot) -> tuple[object, ...]:
    """Return what a verdict depends on, except the losses, which change too often."""
    loss, collapsed = (snapshot.curves.get(n) for n in ("train/loss", "latent/collapsed"))
    return (
        id(snapshot.map),
        id(snapshot.confusion),
        snapshot.status.state,
        None if loss is None else loss.non_finite > 0,
        None if collapsed is None else collapsed.last,
        tuple(snapshot.missing.items()),
    )
