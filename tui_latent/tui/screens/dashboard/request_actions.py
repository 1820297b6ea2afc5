"""Actions of the dashboard that request something of the trainer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tui_latent.runs.control import read_request, request
from tui_latent.runs.origin import obeyed
from tui_latent.runs.schema import LIVE_STATES, RunError, RunSnapshot
from tui_latent.tui.notices import RATE_TITLE
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.dashboard.base import DashboardBase
from tui_latent.tui.screens.dashboard.header import RunHeader
from tui_latent.tui.screens.dashboard.learning_rate import ASK_BEYOND, ScheduledRate

if TYPE_CHECKING:
    from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

Asked = Literal["run", "pause", "stop"]

_ANSWERS: Final[dict[Asked, frozenset[str]]] = {
    "run": frozenset({"running"}),
    "pause": frozenset({"paused"}),
    "stop": frozenset(),
}


class RequestActions(DashboardBase):
    """Pauses, stops and saves a run, and changes its learning rate."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._asked: Asked | None = None
        self._rate = ScheduledRate()
        self._question: ConfirmScreen | None = None
        self.labels_now: dict[str, str] = {}

    def _take_answer(self) -> None:
        """Show the newest state, and forget a request that the trainer has answered."""
        self._rate.update(self._snapshot)
        state = self._snapshot.status.state
        if self._asked and (state in _ANSWERS[self._asked] or state not in LIVE_STATES):
            self._asked = None
        if self._question is not None and state not in LIVE_STATES:
            self._question.withdraw()
        self._show_header()

    def _show_header(self) -> None:
        self.query_one(RunHeader).show(self._snapshot, self._asked)
        labels = {"run.pause": "Continue"} if self._is_paused else {}
        if labels != self.labels_now:
            self.labels_now = labels
            self.refresh_bindings()

    @property
    def _is_paused(self) -> bool:
        """Whether training is paused, or has been asked to pause."""
        if self._asked is not None:
            return self._asked == "pause"
        return self._snapshot.status.state == "paused"

    def action_pause(self) -> None:
        """Pause or continue the training."""
        if self._asked == "stop":
            self.notify("The run is already stopping.")
            return
        self._request("run" if self._is_paused else "pause")

    def action_ask_to_stop(self) -> None:
        """Ask whether to stop the training, then request it."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def stop(yes: bool | None) -> None:
            if yes and self._snapshot.status.state in LIVE_STATES:
                self._request("stop")

        question = stop_question(self._snapshot, self.app._keymap)
        self._question = ConfirmScreen("Stop training", question, "Stop")
        self.app.push_screen(self._question, stop)

    def _request(self, state: Asked) -> None:
        """Request a state from the trainer, and show the request."""
        if self._ask(state=state):
            self._asked = None if self._snapshot.status.state in _ANSWERS[state] else state
            self._show_header()

    def action_checkpoint(self) -> None:
        """Request a checkpoint; the log says when it is saved, if a user's own loop reports it."""
        if not self._ask(checkpoint=True):
            return
        if self._snapshot.origin == "trained":
            self.notify("Saving a checkpoint after this step; the log will confirm it.")
        else:
            self.notify("Checkpoint requested. Its own script decides when it saves, and what.")

    def action_scale_lr(self, by: float) -> None:
        """Multiply the learning rate, on top of earlier requests from any screen."""
        old = read_request(self.path).lr_factor
        new = old * by
        if by <= 1 or new <= ASK_BEYOND:
            self._request_rate(old, new)
            return
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def raise_rate(yes: bool | None) -> None:
            if yes and self._snapshot.status.state in LIVE_STATES:
                self._request_rate(old, new)

        question = f"{self._rate.words(old, new)}? Training may diverge at such a high rate."
        self._question = ConfirmScreen(RATE_TITLE, question, "Raise")
        self.app.push_screen(self._question, raise_rate)

    def _request_rate(self, old: float, new: float) -> None:
        if self._ask(lr_factor=new):
            self.notify(self._rate.words(old, new), title=RATE_TITLE, markup=False)

    def _ask(
        self,
        state: Asked | None = None,
        checkpoint: bool = False,
        lr_factor: float | None = None,
    ) -> bool:
        try:
            request(self.path, state=state, checkpoint=checkpoint, lr_factor=lr_factor)
        except (RunError, ValueError) as error:
            self.notify(str(error), title="Request failed", severity="error", markup=False)
            return False
        return True


def stop_question(snapshot: RunSnapshot, keymap: Mapping[str, str]) -> str:
    """Ask whether to stop a run, and say what else is possible."""
    pause = f"{key_name('run.pause', keymap)} only pauses it."
    if snapshot.origin == "trained":
        resume = f"{key_name('run.resume', keymap)} resumes it later;"
        return f"Stop {snapshot.path.name} and save a checkpoint? {resume} {pause}"
    pauses = "pause" in obeyed(snapshot.preset, snapshot.provenance)
    question = f"Ask {snapshot.name} to stop? Its own script decides what is saved."
    return f"{question} {pause}" if pauses else question
