"""The dashboard's application: it owns the training, the screens only look and ask.

Screens are pushed over the menu. Every binding carries an `id` of the form `group.verb`
and a `tooltip`: the footer, the palette ("Group: Verb") and the help screen are made of
the bindings, so no action can be missing in one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.driver import Driver
from textual.screen import Screen
from textual.worker import Worker, WorkerFailed, WorkerState

from tui_latent.runtime.cpu_share import count_this_thread
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.gc_freeze import FrozenModules

if TYPE_CHECKING:
    from textual.command import Provider

    from tui_latent.config.settings import Preset
    from tui_latent.runs.schema import Status
    from tui_latent.tui.detached_training import DetachedTraining

# Imports inside functions bring numpy, torch and others, which the first frame does not need.

Train = Callable[[Path], "Status"]
Create = Callable[[str, "Preset", Path, "str | None"], Path]
StartProcess = Callable[[Path], int]
Export = Callable[[Path], Path]

_SECONDS_BETWEEN_LOOKS = 1.0
"""at how many modules were loaded meanwhile"""


def _train(path: Path) -> Status:
    from tui_latent.launch.start import train_run

    return train_run(path)


def _create(preset_name: str, preset: Preset, runs: Path, name: str | None) -> Path:
    from tui_latent.launch.start import create_run

    return create_run(preset_name, preset, runs, name)


def _start_process(path: Path) -> int:
    from tui_latent.launch.background import start_in_background

    return start_in_background(path)


def _free(path: Path) -> Path:
    """Return a run's path if nobody trains it; RunBusyError, before another is stopped for it."""
    from tui_latent.runs.run_list import refuse_trained

    refuse_trained(path, "try again")
    return path


def _export(path: Path) -> Path:
    from tui_latent.launch.export import export_report

    return export_report(path)


def _binding_commands() -> type[Provider]:
    from tui_latent.tui.commands import BindingCommands

    return BindingCommands


def _ask_to_stop(path: Path) -> None:
    """Ask whoever trains a run to stop and save; RunError when it cannot be asked."""
    from tui_latent.runs.control import request

    request(path, state="stop")


class LatentApp(App[int]):
    """Choose a preset, train it in a thread, watch its run folder."""

    TITLE = "tui-latent"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMANDS = App.COMMANDS | {_binding_commands}
    BINDINGS = [
        Binding("question_mark", "help", "Help", id="app.help", tooltip="Show every key"),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", tooltip="Leave tui-latent", priority=True),
    ]

    def __init__(
        self,
        runs: Path,
        *,
        open_path: Path | None = None,
        train: Train = _train,
        create: Create = _create,
        start_process: StartProcess = _start_process,
        export: Export = _export,
    ) -> None:
        """`train` and `export` run in threads of their own, where alone torch is imported."""
        super().__init__()
        self.runs = runs
        """folder of the runs"""
        self.training_path: Path | None = None
        """run that this process trains now"""
        self.drawer = WorkerThread(self._tell_drawing_failed)
        """the one thread that draws plots"""
        self._open_path = open_path
        self._train = train
        self._create = create
        self._start_process = start_process
        self._export = export
        self._training: Worker[Status] | None = None
        self.trained = threading.Event()
        """set when the training of this process is over; any thread may wait for it"""
        self._unseen: DetachedTraining | None = None
        self._remote = bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))
        if self._remote:
            self.animation_level = "none"
        if "TEXTUAL_THEME" not in os.environ and _light_terminal():
            self.theme = "textual-light"

    def get_driver_class(self) -> type[Driver]:
        """Return what reads the terminal: ours in the place of Textual's for Linux and macOS."""
        from textual.drivers.linux_driver import LinuxDriver

        from tui_latent.tui.terminal_driver import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def get_default_screen(self) -> Screen[None]:
        """Return the menu, over which all other screens are pushed."""
        from tui_latent.tui.screens.menu.screen import MenuScreen

        return MenuScreen()

    def on_mount(self) -> None:
        count_this_thread()
        if not self.is_headless:
            from tui_latent.tui.detached_training import DetachedTraining

            self._unseen = DetachedTraining(self)
            self.set_interval(_SECONDS_BETWEEN_LOOKS, FrozenModules().set_aside)
        if self._open_path is not None:
            self.open_run(self._open_path)

    async def on_unmount(self) -> None:
        self.drawer.close()
        # A crash of the screen must not leave the process training on unseen.
        if self._unseen is None or not self._unseen.begun:
            self.ask_training_to_stop()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Return the commands that no key has."""
        yield SystemCommand("View: Theme", "Change the colours", self.action_change_theme)

    # Runs

    def open_run(self, path: Path) -> None:
        """Watch a run, whoever trains it."""
        from tui_latent.tui.screens.dashboard.screen import DashboardScreen

        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(DashboardScreen(path, self.drawer, 2.0 if self._remote else 1.0))

    def start_run(self, preset_name: str, preset: Preset, name: str | None = None) -> None:
        """Create a run of a preset, named by the time unless a name is given; train and open it."""
        self._begin(lambda: self._create(preset_name, preset, self.runs, name))

    def resume_run(self, path: Path) -> None:
        """Train a run on from its last checkpoint and open its dashboard."""
        if path == self.training_path:
            self.open_run(path)
        else:
            self._begin(lambda: _free(path))

    def start_in_background(self, preset_name: str, preset: Preset) -> None:
        """Create a run of a preset, train it in a process that outlives this one, and open it."""
        self._begin_in_background(lambda: self._create(preset_name, preset, self.runs, None))

    def resume_in_background(self, path: Path) -> None:
        """Train a run on in a process that outlives this one, and open its dashboard."""
        self._begin_in_background(lambda: path)

    @work(group="begin", exclusive=True)
    async def _begin_in_background(self, run_path: Callable[[], Path]) -> None:
        try:
            path = await asyncio.to_thread(run_path)
            pid = await asyncio.to_thread(self._start_process, path)
        # Whatever keeps a run from starting is told; the runs under way are not touched by it.
        except Exception as error:
            self._tell_not_started(error)
            return
        self.open_run(path)
        self.notify(f"Process {pid} trains it and outlives this screen.", markup=False)

    @work(group="begin", exclusive=True)
    async def _begin(self, run_path: Callable[[], Path]) -> None:
        if self.training_path is not None and not await self._may_stop(
            "Train another run", "Stop it and save it first?", "Stop and save"
        ):
            return
        try:
            path = await asyncio.to_thread(run_path)
        # Whatever keeps a run from starting is told; the runs under way are not touched by it.
        except Exception as error:
            self._tell_not_started(error)
            return
        if not await self._stop_training():
            return
        self.training_path = path
        self.trained.clear()
        self._training = self.run_worker(
            partial(self._train_to_end, path),
            group="training",
            description=path.name,
            thread=True,
            exit_on_error=False,
        )
        self.open_run(path)

    def _tell_not_started(self, error: Exception) -> None:
        self.notify(str(error), title="Not started", severity="error", timeout=20, markup=False)

    def _train_to_end(self, path: Path) -> Status:
        """Train, in a thread; `trained` tells other threads when it is over."""
        try:
            return self._train(path)
        finally:
            self.trained.set()

    @on(Worker.StateChanged)
    def end_training(self, event: Worker.StateChanged) -> None:
        """Note that a training ended, and tell why when it broke."""
        if event.worker is not self._training:
            return
        if event.state is WorkerState.ERROR:
            text = str(event.worker.error) or type(event.worker.error).__name__
            self.notify(text, title="Not trained", severity="error", timeout=20, markup=False)
        if event.state in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            self.training_path = self._training = None

    async def _may_stop(self, title: str, question: str, label: str) -> bool:
        """Ask whether the training of this process may be stopped."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        if self.training_path is None:
            return True
        question = f"{self.training_path.name} is training. {question}"
        yes: bool = await self.push_screen_wait(ConfirmScreen(title, question, label))
        return yes

    async def _stop_training(self) -> bool:
        """Ask the training of this process to stop and save; return when it has.

        False when it cannot be asked, and trains on.
        """
        from tui_latent.runs.schema import RunError
        from tui_latent.tui.screens.dialogs.stopping import StoppingScreen

        path, training = self.training_path, self._training
        if path is None or training is None:
            return True
        try:
            _ask_to_stop(path)
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
            return False
        waiting = StoppingScreen(path.name)
        await self.push_screen(waiting)
        with contextlib.suppress(WorkerFailed):
            await training.wait()
        waiting.dismiss()
        return True

    # Reports

    def export_report(self, path: Path) -> None:
        """Write a run's PNG and JSON in the background and say where they are."""
        self.notify("Writing the report…")
        self._export_report(path)

    @work(group="report", thread=True, exit_on_error=False)
    def _export_report(self, path: Path) -> None:
        try:
            report = self._export(path)
        # It runs in a thread of its own: nobody else would tell.
        except Exception as error:
            text = str(error) or type(error).__name__
            self.notify(text, title="No report", severity="error", timeout=20, markup=False)
        else:
            self.notify(str(report), title="Report", timeout=20, markup=False)

    # The whole

    def action_help(self) -> None:
        """Show every key of this screen."""
        from tui_latent.tui.screens.dialogs.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    async def action_quit(self) -> None:
        """Leave; a training is stopped and saved first, after asking."""
        self._quit(ask=True)

    def leave(self) -> None:
        """Leave without asking, because the system says so."""
        self._quit(ask=False)

    def ask_training_to_stop(self) -> None:
        """Ask the training of this process, if there is one, to stop and save."""
        from tui_latent.runs.schema import RunError

        if self.training_path is not None:
            with contextlib.suppress(RunError):
                _ask_to_stop(self.training_path)

    @work(group="quit", exclusive=True)
    async def _quit(self, ask: bool) -> None:
        if ask and not await self._may_stop(
            "Quit", "Stop it, save it and leave?", "Stop and leave"
        ):
            return
        await self._stop_training()
        self.exit(0)

    def _tell_drawing_failed(self, error: Exception) -> None:
        self.notify(
            f"{type(error).__name__}: {error}", title="Not drawn", severity="error", markup=False
        )


def _light_terminal() -> bool:
    """Say whether the terminal told that its background is light."""
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
