"""The parts of the menu that stop, archive and delete runs; what is lost is asked first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.base import BaseScreen

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary
    from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen


class RunEnding(BaseScreen[None]):
    """A screen that stops, archives and deletes runs, and lists them again."""

    _question: tuple[ConfirmScreen, RunSummary, bool] | None = None
    """the newest question, the run that it is about, and whether that must be alive"""

    def look_again(self) -> None:
        """List the runs now, because one of them may have changed."""
        raise NotImplementedError

    def ask_to_stop(self, run: RunSummary) -> None:
        """Ask whether to stop a run, and stop it."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def stop(yes: bool | None) -> None:
            if yes:
                self._stop(run)

        if why := self._why_not_asked(run):
            self.notify(why, title="Stop", severity="warning", timeout=8, markup=False)
            return
        question = f"Stop {run.title} and save it? It can be resumed later."
        if run.method == "watched":
            question = f"Ask {run.title} to stop? Its own script decides what is saved."
        if run.queued:
            question = f"Remove {run.title} from the queue? Its folder stays."
        self._question = ConfirmScreen("Stop run", question, "Stop"), run, True
        self.app.push_screen(self._question[0], stop)

    def withdraw_question(self, runs: Sequence[RunSummary]) -> None:
        """Close a question that no longer applies, and say why; `runs` are as they are now."""
        if self._question is None or not self._question[0].is_current:
            return
        from tui_latent.runs.schema import LIVE_STATES  # after the first frame

        question, run, needs_life = self._question
        now = next((each for each in runs if each.path == run.path), None)
        if now is None:
            words = f"{run.title} is not in its folder any more."
        elif needs_life and not (now.queued or now.status.state in LIVE_STATES):
            words = f"{run.title} has ended: it is {now.status.state_word}."
        else:
            return
        self._question = None
        question.withdraw()
        self.notify(words, markup=False)

    @staticmethod
    def _why_not_asked(run: RunSummary) -> str:
        from tui_latent.runs.schema import RunError
        from tui_latent.tui.screens.menu.run_actions import request_refused

        if run.method != "watched":
            return ""
        try:
            return request_refused(run)
        except RunError as error:
            return str(error)

    @work(thread=True, group="stop", exit_on_error=False)
    def _stop(self, run: RunSummary) -> None:
        from tui_latent.runs.control import request
        from tui_latent.runs.queue import remove_from_queue
        from tui_latent.runs.schema import RunError

        try:
            if not (run.queued and remove_from_queue(run.path.parent, run.path.name)):
                request(run.path, state="stop")
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        self.app.call_from_thread(self.look_again)

    @work(thread=True, group="archive", exit_on_error=False)
    def archive(self, run: RunSummary) -> None:
        """Archive a run, or bring it back."""
        from tui_latent.runs.labels import change_labels
        from tui_latent.runs.schema import RunError

        try:
            labels = change_labels(run.path, archived=not run.labels.archived)
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            archive, every = (
                key_name(key_id, self.app._keymap) for key_id in ("run.archive", "run.archived")
            )
            words = f"{run.title} is back among the runs."
            if labels.archived:
                words = f"{run.title} is archived. {every} shows it, {archive} brings it back."
            self.notify(words, timeout=5, markup=False)
        self.app.call_from_thread(self.look_again)

    def ask_to_delete(self, run: RunSummary) -> None:
        """Ask whether to delete a run, and delete it."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def delete(yes: bool | None) -> None:
            if yes:
                self._delete(run)

        question = (
            f"Delete {run.title}, with its checkpoints, curves, maps and reports? "
            "This cannot be undone."
        )
        self._question = ConfirmScreen("Delete run", question, "Delete"), run, False
        self.app.push_screen(self._question[0], delete)

    @work(thread=True, group="delete", exit_on_error=False)
    def _delete(self, run: RunSummary) -> None:
        from tui_latent.runs.queue import take_from_queue
        from tui_latent.runs.run_list import delete_run
        from tui_latent.runs.schema import RunError

        try:
            if run.queued:
                take_from_queue(run.path.parent, run.path.name)
            delete_run(run.path)
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(f"Deleted {run.title}.", markup=False)
        self.app.call_from_thread(self.look_again)
