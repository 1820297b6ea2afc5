"""The training of this process: at most one, in a thread; it is stopped and saved, never killed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.worker import Worker, WorkerFailed, WorkerState

if TYPE_CHECKING:
    from tui_latent.runs.schema import Status
    from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen
    from tui_latent.tui.screens.dialogs.second_run import Way

Train = Callable[[Path], "Status"]


class OwnTraining:
    """Starts and stops the training, and asks before it is stopped for something else."""

    def __init__(self, app: App[Any], train: Train) -> None:
        self.path: Path | None = None
        """run that is trained now"""
        self.over = threading.Event()
        """set when the training has ended; any thread may wait for it"""
        self._app = app
        self._train = train
        self._worker: Worker[Status] | None = None
        self._question: ConfirmScreen | None = None
        """whether the training may be stopped"""

    def start(self, path: Path) -> None:
        """Train a run in a thread."""
        self.path = path
        self.over.clear()
        self._worker = self._app.run_worker(
            partial(self._train_to_end, path),
            group="training",
            description=path.name,
            thread=True,
            exit_on_error=False,
        )

    def _train_to_end(self, path: Path) -> Status:
        try:
            return self._train(path)
        finally:
            self.over.set()

    def note_end(self, event: Worker.StateChanged) -> None:
        """Note a worker's new state; when the training ends, say how or why."""
        if event.worker is not self._worker:
            return
        if event.state is WorkerState.ERROR:
            text = str(event.worker.error) or type(event.worker.error).__name__
            self._app.notify(
                text, title="Training failed", severity="error", timeout=20, markup=False
            )
        if event.state is WorkerState.SUCCESS and self.path is not None:
            self._app.run_worker(
                partial(self._tell_finished, self.path), thread=True, exit_on_error=False
            )
        if event.state in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            self.path = self._worker = None
            if self._question is not None:
                self._question.withdraw()

    def _tell_finished(self, path: Path) -> None:
        """Say how the run did, and what to do next; in a thread, as there may be many runs."""
        from tui_latent.runs.reader import RunReader
        from tui_latent.runs.run_list import list_runs
        from tui_latent.runs.schema import RunError
        from tui_latent.tui.finished import finished_words, what_was_expected

        with contextlib.suppress(RunError, OSError):
            snapshot = RunReader(path).refresh()
            if snapshot.status.state == "finished":
                expected = what_was_expected(snapshot, list_runs(path.parent))
                words = finished_words(snapshot, self._app._keymap, expected)
                self._app.notify(words, title=path.name, timeout=20, markup=False)

    def ask_to_stop(self) -> None:
        """Request that the training stops and saves, if there is one."""
        from tui_latent.runs.schema import RunError

        if self.path is not None:
            with contextlib.suppress(RunError):
                _request_stop(self.path)

    async def may_stop(self, title: str, question: str, label: str) -> bool:
        """Ask whether the training may be stopped; True when there is none."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        if self.path is None:
            return True
        question = f"{self.path.name} is training. {question}"
        self._question = ConfirmScreen(title, question, label)
        yes: bool = await self._app.push_screen_wait(self._question)
        self._question = None
        return yes

    async def how_to_start(self, runs: Path) -> Way | None:
        """Ask how to start a run if this machine is training another one of the folder `runs`.

        `now` if it is not; None to start nothing.
        """
        from tui_latent.runs.queue import queued_runs
        from tui_latent.tui.screens.dialogs.second_run import SecondRunScreen

        running = await self._running(runs)
        if running is None:
            return "now"
        waiting, last = len(await asyncio.to_thread(queued_runs, runs)), running

        async def look() -> str:
            nonlocal last
            # All runs are listed only once this one has ended: that reads many files.
            if self.path is None and await asyncio.to_thread(_is_live, last):
                return last.name
            now = await self._running(runs)
            last = last if now is None else now
            return "" if now is None else now.name

        return await self._app.push_screen_wait(SecondRunScreen(running.name, waiting, look))

    async def _running(self, runs: Path) -> Path | None:
        """Return the run in training in this process, else in another one of this machine."""
        from tui_latent.launch.queue import training_here
        from tui_latent.runs.schema import RunError

        if self.path is not None:
            return self.path
        try:
            name = await asyncio.to_thread(training_here, runs)
        except RunError:
            return None
        return runs / name if name else None

    async def stop(self, runs: Path | None) -> bool:
        """Stop and save this training, or another one in `runs`; return when it has ended.

        False if the request cannot be written; the training then continues.
        """
        from tui_latent.runs.schema import RunError
        from tui_latent.tui.screens.dialogs.stopping import StoppingScreen

        path, worker = self.path, self._worker
        if path is None and runs is not None:
            path = await self._running(runs)
        if path is None:
            return True
        try:
            _request_stop(path)
        except RunError as error:
            self._app.notify(str(error), title="Request failed", severity="error", markup=False)
            return False
        waiting = StoppingScreen(path.name)
        await self._app.push_screen(waiting)
        if worker is not None:
            with contextlib.suppress(WorkerFailed):
                await worker.wait()
        else:
            await asyncio.to_thread(_wait_for_end, path)
        waiting.dismiss()
        return True


def _request_stop(path: Path) -> None:
    from tui_latent.runs.control import request

    request(path, state="stop")


def _is_live(path: Path) -> bool:
    """Return whether a run is being trained; no if its folder cannot be read any more."""
    from tui_latent.runs.run_list import run_status
    from tui_latent.runs.schema import LIVE_STATES, RunError

    try:
        return run_status(path).state in LIVE_STATES
    except RunError:
        return False


def _wait_for_end(path: Path) -> None:
    """Return once a run is no longer being trained."""
    while _is_live(path):
        time.sleep(0.2)
