"""How the application starts, resumes and queues runs: here, in the background, or later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.worker import Worker

from tui_latent.tui import messages
from tui_latent.tui.own_training import OwnTraining
from tui_latent.tui.run_dialogs import RunDialogs
from tui_latent.tui.screen_opener import ScreenOpener

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.tui.screens.dialogs.second_run import Way

Create = Callable[[str, "Preset", Path, "str | None"], Path]
StartProcess = Callable[[Path], int]


def _free(path: Path) -> Path:
    """Return a run's path; RunError, before another is stopped, if it cannot be trained now.

    It may be training already, or need a plugin that is not loaded.
    """
    from tui_latent.config.plugin_needs import require_plugins
    from tui_latent.runs.run_list import refuse_trained

    refuse_trained(path, "try again")
    require_plugins(path)
    return path


def _leave_queue(path: Path) -> None:
    """Remove a run that is started by hand from the queue."""
    from tui_latent.runs.queue import leave_queue

    leave_queue(path)


def _needs_processes(path: Path) -> bool:
    """Return whether several processes train a run, which cannot be this one."""
    from tui_latent.launch.processes import devices_of

    return devices_of(path) > 1


def _is_opened(path: Path) -> bool:
    """Return whether a run was opened from files; no if its folder cannot be read."""
    from tui_latent.runs.manifest import read_manifest
    from tui_latent.runs.origin import origin_of
    from tui_latent.runs.schema import RunError

    try:
        return origin_of(read_manifest(path).provenance) == "opened"
    except (RunError, OSError):
        return False


class RunStarter(ScreenOpener):
    """Starts runs as messages request; owns the training of this process."""

    runs: Path
    """folder of the runs"""
    training: OwnTraining
    _dialogs: RunDialogs
    _create: Create
    _start_process: StartProcess
    _remote: bool

    @property
    def training_path(self) -> Path | None:
        """Run that this process is training."""
        return self.training.path

    @on(messages.RunRequested)
    def open_requested(self, message: messages.RunRequested) -> None:
        """Open a run's dashboard."""
        self.open_run(message.path, message.over)

    def open_run(self, path: Path, over: bool = False) -> None:
        """Watch a run, whoever trains it, or a sweep; `over` keeps the screens below."""
        from tui_latent.runs.sweep_folder import is_sweep
        from tui_latent.tui.screens.dashboard.screen import DashboardScreen
        from tui_latent.tui.screens.menu.screen import MenuScreen

        while len(self.screen_stack) > 1 and not over:
            self.pop_screen()
        if is_sweep(path):
            from tui_latent.tui.screens.sweep.screen import SweepScreen

            self.push_screen(SweepScreen(path, self.drawer, self.kept.look(path, "sweep")))
            return
        if isinstance(menu := self.screen_stack[0], MenuScreen):
            menu.return_to(path.name)
        seconds, chosen = 2.0 if self._remote else 1.0, self.kept.looks(path)
        dashboard = DashboardScreen(path, self.drawer, seconds, chosen)
        self.push_screen(dashboard)
        if _is_opened(path):  # there was no training to watch: its map is what people came for
            dashboard.call_after_refresh(dashboard.action_explore)

    @on(messages.TrainRequested)
    def train_requested(self, message: messages.TrainRequested) -> None:
        """Train a preset, here or in the background."""
        if message.background:
            self.start_in_background(message.preset_name, message.preset)
        else:
            self.start_run(message.preset_name, message.preset, message.name)

    def start_run(self, preset_name: str, preset: Preset, name: str | None = None) -> None:
        """Create a run of a preset, named by the time unless a name is given; train and open it."""
        self._begin(lambda: self._create(preset_name, preset, self.runs, name))

    def start_in_background(self, preset_name: str, preset: Preset) -> None:
        """Create a run of a preset, train it in a process that outlives this one, and open it."""
        self._begin(lambda: self._create(preset_name, preset, self.runs, None), "background")

    @on(messages.ResumeRequested)
    def resume_requested(self, message: messages.ResumeRequested) -> None:
        """Resume a run, here or in the background."""
        resume = self.resume_in_background if message.background else self.resume_run
        self._resume_or_ask(message.path, partial(resume, message.path))

    @work(group="dialog", exclusive=True)
    async def _resume_or_ask(self, path: Path, resume: Callable[[], Any]) -> None:
        """Resume a run: ask how if it failed, and with how many processes if there is a choice."""
        from tui_latent.runs.status import readable_status

        status = await asyncio.to_thread(readable_status, path)
        if status.state == "failed" and path != self.training_path:
            await self._dialogs.after_failure(path, resume)
        elif status.state in ("stopped", "interrupted"):
            await self._dialogs.resume(path, resume)
        else:
            resume()

    @on(messages.EditRequested)
    @work(group="dialog", exclusive=True)
    async def edit_run(self, message: messages.EditRequested) -> None:
        """Change a run's settings during training, or start a new run with others."""
        await self._dialogs.edit(message.path)

    @on(messages.UndoRequested)
    @work(group="dialog", exclusive=True)
    async def undo_change(self, message: messages.UndoRequested) -> None:
        """Undo the newest change of a run's settings."""
        await self._dialogs.undo(message.path)

    @on(messages.ForkRequested)
    @work(group="dialog", exclusive=True)
    async def fork_run(self, message: messages.ForkRequested) -> None:
        """Start a new run from a checkpoint of another."""
        await self._dialogs.fork(message.path, message.step)

    def resume_run(self, path: Path) -> None:
        """Resume a run from its last checkpoint and open its dashboard."""
        if path == self.training_path:
            self.open_run(path)
        else:
            self._begin(lambda: _free(path))

    def resume_in_background(self, path: Path) -> None:
        """Resume a run in a process that outlives this one, and open its dashboard."""
        self._begin(lambda: path, "background")

    @work(group="begin", exclusive=True)
    async def _begin(self, run_path: Callable[[], Path], way: Way | None = None) -> None:
        """Train a run; without a `way`, ask how if another run is training."""
        chosen = way or await self.training.how_to_start(self.runs)
        if chosen is None:
            return
        try:
            path = await asyncio.to_thread(run_path)
            if chosen == "queue":
                await self._queue(path)
                return
            await asyncio.to_thread(_leave_queue, path)
            if await asyncio.to_thread(_needs_processes, path):
                chosen = "background"
            if chosen == "background":
                pid = await asyncio.to_thread(self._start_process, path)
        # Whatever keeps a run from starting is shown; other runs are not affected.
        except Exception as error:
            self._tell_not_started(error)
            return
        if chosen == "background":
            self.open_run(path)
            self.notify(f"Training in the background (PID {pid}).", markup=False)
        # Only who chose to stop another run may stop one: another may have begun meanwhile.
        elif await self.training.stop(self.runs if chosen == "stop" else None):
            self.training.start(path)
            self.open_run(path)

    async def _queue(self, path: Path) -> None:
        """Add a run to the queue."""
        from tui_latent.launch import queue
        from tui_latent.tui.remapping import key_name

        place = await asyncio.to_thread(queue.queue_run, path)
        key = key_name("app.queue", self._keymap)
        words = f"{path.name} is number {place} in the queue. {key} shows and reorders it."
        self.notify(words, title="Queue", timeout=8, markup=False)

    def action_queue(self) -> None:
        """Show the queue."""
        from tui_latent.tui.screens.dialogs.queue import QueueScreen

        if not isinstance(self.screen, QueueScreen):
            self.push_screen(QueueScreen(self.runs))

    @on(messages.QueueStartRequested)
    def start_queue(self, message: messages.QueueStartRequested) -> None:
        """Start the process that works on the queue."""
        self._start_queue(message.folder)

    @work(group="queue", thread=True, exit_on_error=False)
    def _start_queue(self, folder: Path) -> None:
        from tui_latent.launch import queue
        from tui_latent.runs.schema import RunError

        try:
            queue.work_on_queue(folder)
        except RunError as error:
            self.notify(str(error), title="Queue", severity="error", markup=False)

    def _tell_not_started(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        self.notify(text, title="Start failed", severity="error", timeout=20, markup=False)

    @on(Worker.StateChanged)
    def end_training(self, event: Worker.StateChanged) -> None:
        """Notice when the training has ended."""
        self.training.note_end(event)

    @on(messages.SettingsRequested)
    def edit_settings(self, message: messages.SettingsRequested) -> None:
        """Edit a preset's settings, then train it."""
        from tui_latent.tui.screens.settings.screen import SettingsScreen

        name = message.preset_name

        def begin(edited: tuple[Preset, str | None] | None) -> None:
            if edited is not None:
                self.start_run(name, *edited)

        form = SettingsScreen(name, message.table, message.preset, self.runs, message.whose)
        self.push_screen(form, begin)
