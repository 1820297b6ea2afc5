"""The dashboard's application: it owns the training and opens the screens.

Screens are pushed over the menu. They know nothing of the application: they post messages to
request something from it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import App, SystemCommand
from textual.driver import Driver
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.theme import Theme
from textual.worker import Worker

from tui_latent.palettes import css_variables
from tui_latent.preferences.config_file import SETTING_NAMES
from tui_latent.preferences.kept import Kept
from tui_latent.runtime.cpu_share import count_this_thread
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.gc_freeze import FrozenModules
from tui_latent.tui.keymap import bindings
from tui_latent.tui.notices import outdated
from tui_latent.tui.own_training import OwnTraining, Train
from tui_latent.tui.run_dialogs import RunDialogs

if TYPE_CHECKING:
    from textual.command import Provider

    from tui_latent.config.settings import Preset
    from tui_latent.runs.schema import Status
    from tui_latent.tui.charts.terminal_images import Way
    from tui_latent.tui.detached_training import DetachedTraining
    from tui_latent.verdict import Door

# Imports inside functions bring numpy, torch and others, which the first frame does not need.

Create = Callable[[str, "Preset", Path, "str | None"], Path]
StartProcess = Callable[[Path], int]
Export = Callable[[Path], Path]

_SECONDS_BETWEEN_FREEZES = 1.0


def _train(path: Path) -> Status:
    from tui_latent.launch.start import train_run

    return train_run(path)


def _create(preset_name: str, preset: Preset, runs: Path, name: str | None) -> Path:
    from tui_latent.launch.start import create_run

    return create_run(preset_name, preset, runs, name)


def _start_process(path: Path) -> int:
    from tui_latent.launch.background import start_in_background

    return start_in_background(path)


def _export(path: Path) -> Path:
    from tui_latent.launch.export import export_report

    return export_report(path)


def _free(path: Path) -> Path:
    """Return a run's path; RunBusyError, before another is stopped, if it is being trained."""
    from tui_latent.runs.run_list import refuse_trained

    refuse_trained(path, "try again")
    return path


def _leave_queue(path: Path) -> None:
    """Let a run that is started by hand wait no longer."""
    from tui_latent.runs.queue import queued_runs, take_from_queue

    if path.name in queued_runs(path.parent):
        take_from_queue(path.parent, path.name)


def _binding_commands() -> type[Provider]:
    from tui_latent.tui.commands import BindingCommands

    return BindingCommands


class LatentApp(App[int]):
    """Choose a preset, train it in a thread, watch its run folder."""

    TITLE = "tui-latent"
    COMMANDS = App.COMMANDS | {_binding_commands}
    BINDINGS = bindings("app")

    def __init__(
        self,
        runs: Path,
        *,
        open_path: Path | None = None,
        light: bool = False,
        keymap: Mapping[str, str] | None = None,
        train: Train = _train,
        create: Create = _create,
        start_process: StartProcess = _start_process,
        export: Export = _export,
        kept: Kept | None = None,
    ) -> None:
        """`light` begins with the light theme, for a terminal of a light background.

        `keymap` maps ids of `keymap.KEYMAP` to keys; KeymapError if it cannot be used.

        `train` and `export` run in threads of their own; only these import torch. `kept` has a
        person's settings, whose own keys only add to `keymap`; None keeps nothing.
        """
        super().__init__()
        self.kept = kept or Kept()
        self.runs = runs
        """folder of the runs"""
        self.drawer = WorkerThread(self._tell_drawing_failed)
        """the one thread that draws plots"""
        self.training = OwnTraining(self, train)
        self._dialogs = RunDialogs(self, runs, self._begin)
        self._open_path = open_path
        self._create = create
        self._start_process = start_process
        self._export = export
        self._detached: DetachedTraining | None = None
        self._remote = bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))
        if self._remote:
            self.animation_level = "none"
        theme = self.kept.preferences.theme
        if theme in self.available_themes:
            self.theme = theme
        elif "TEXTUAL_THEME" not in os.environ and light:
            self.theme = "textual-light"
        if theme != "auto" and theme not in self.available_themes:
            self.kept.problems.append(f"theme: there is no theme '{theme}': ctrl+p lists them")
        if keymap:
            self._use_keys(keymap)
        elif own := self.kept.preferences.keys:
            from tui_latent.tui.remapping import KeymapError

            try:
                self._use_keys(own)
            except KeymapError as error:
                self.kept.problems.append(str(error))

    def _use_keys(self, keymap: Mapping[str, str]) -> None:
        from tui_latent.tui.remapping import check_keymap

        check_keymap(keymap)
        self.set_keymap(dict(keymap))

    @property
    def training_path(self) -> Path | None:
        """Run that this process trains now."""
        return self.training.path

    def get_driver_class(self) -> type[Driver]:
        """Return the driver of the terminal: ours instead of Textual's on Linux and macOS."""
        from textual.drivers.linux_driver import LinuxDriver

        from tui_latent.tui.terminal_driver import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, and the colours of the classes on its background."""
        return super().get_css_variables() | css_variables(self.current_theme.dark)

    def heed_terminal(self, way: Way, typed: bytes) -> None:
        """Draw images in the way that the terminal can, and press the keys typed before."""
        if way != "cells":
            from tui_latent.tui.charts.image_grid import use_real_pixels

            use_real_pixels(way)
        if typed:
            from tui_latent.tui.terminal_driver import TerminalDriver

            TerminalDriver.typed_before = typed

    def get_default_screen(self) -> Screen[None]:
        """Return the menu, over which all other screens are pushed."""
        from tui_latent.tui.screens.menu.screen import MenuScreen

        arrangement = self.kept.view(None).get("runs table")
        return MenuScreen(
            self.runs,
            arrangement=arrangement if isinstance(arrangement, dict) else {},
            index=self.kept.cache and self.kept.cache / "runs",
        )

    def on_mount(self) -> None:
        count_this_thread()
        if not self.is_headless:
            from tui_latent.tui.detached_training import DetachedTraining

            self._detached = DetachedTraining(self, self.training, self.leave)
            self.set_interval(_SECONDS_BETWEEN_FREEZES, FrozenModules().set_aside)
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        for problem in self.kept.problems:
            self.notify(problem, title="Settings", severity="warning", timeout=20, markup=False)
        if self._open_path is not None:
            self.open_run(self._open_path)

    async def on_unmount(self) -> None:
        self.drawer.close()
        # If the screen crashes, the process must not continue to train unseen.
        if self._detached is None or not self._detached.begun:
            self.training.ask_to_stop()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Return the commands that have no key."""
        yield SystemCommand("View: Theme", "Change the colour theme", self.action_change_theme)

    # What a person has chosen

    def _keep_theme(self, theme: Theme) -> None:
        self._keep_setting("theme", theme.name)

    def _keep_setting(self, name: str, value: Any) -> None:
        if problem := self.kept.keep_setting(name, value):
            self.notify(problem, title="Settings", severity="warning", markup=False)

    @on(messages.ChoiceKept)
    def keep_choice(self, message: messages.ChoiceKept) -> None:
        """Keep a choice for the next time."""
        if message.name in SETTING_NAMES:
            self._keep_setting(message.name, message.value)
        else:
            self.kept.keep_view(message.path, message.name, message.value)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a notice, unless the settings say that such notices are not wanted."""
        wanted = {"problems": ("warning", "error"), "errors": ("error",)}
        if severity in wanted.get(self.kept.preferences.notifications, (severity,)):
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def on_notify(self, event: Notify) -> None:
        """Let a notice take the place of those that say the same; Textual adds it after this."""
        for each in outdated(self._notifications, event.notification):
            self._unnotify(each, refresh=False)

    # Runs

    @on(messages.RunRequested)
    def open_requested(self, message: messages.RunRequested) -> None:
        """Open a run's dashboard."""
        self.open_run(message.path)

    def open_run(self, path: Path) -> None:
        """Watch a run, whoever trains it."""
        from tui_latent.tui.screens.dashboard.screen import DashboardScreen

        while len(self.screen_stack) > 1:
            self.pop_screen()
        seconds, chosen = 2.0 if self._remote else 1.0, self.kept.looks(path)
        self.push_screen(DashboardScreen(path, self.drawer, seconds, chosen))

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
        self._begin_in_background(lambda: self._create(preset_name, preset, self.runs, None))

    @on(messages.ResumeRequested)
    def resume_requested(self, message: messages.ResumeRequested) -> None:
        """Resume a run, here or in the background."""
        resume = self.resume_in_background if message.background else self.resume_run
        self._resume_or_ask(message.path, partial(resume, message.path))

    @work(group="dialog", exclusive=True)
    async def _resume_or_ask(self, path: Path, resume: Callable[[], Any]) -> None:
        """Resume a run; of one that failed, ask how to go on."""
        from tui_latent.runs.status import readable_status

        status = await asyncio.to_thread(readable_status, path)
        if status.state == "failed" and path != self.training_path:
            await self._dialogs.after_failure(path, resume)
        else:
            resume()

    @on(messages.EditRequested)
    @work(group="dialog", exclusive=True)
    async def edit_run(self, message: messages.EditRequested) -> None:
        """Change a run's settings while it trains, or start anew with others."""
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
        self._begin_in_background(lambda: path)

    @work(group="begin", exclusive=True)
    async def _begin_in_background(self, run_path: Callable[[], Path]) -> None:
        try:
            path = await asyncio.to_thread(run_path)
            await asyncio.to_thread(_leave_queue, path)
            pid = await asyncio.to_thread(self._start_process, path)
        # Whatever keeps a run from starting is shown; other runs are not affected.
        except Exception as error:
            self._tell_not_started(error)
            return
        self.open_run(path)
        self.notify(f"Training in the background (PID {pid}).", markup=False)

    @work(group="begin", exclusive=True)
    async def _begin(self, run_path: Callable[[], Path]) -> None:
        way = await self.training.how_to_start(self.runs)
        if way is None:
            return
        try:
            path = await asyncio.to_thread(run_path)
            if way == "queue":
                await self._queue(path)
                return
            await asyncio.to_thread(_leave_queue, path)
            if way == "background":
                pid = await asyncio.to_thread(self._start_process, path)
        # Whatever keeps a run from starting is shown; other runs are not affected.
        except Exception as error:
            self._tell_not_started(error)
            return
        if way == "background":
            self.open_run(path)
            self.notify(f"Training in the background (PID {pid}).", markup=False)
        elif await self.training.stop(self.runs):
            self.training.start(path)
            self.open_run(path)

    async def _queue(self, path: Path) -> None:
        """Let a run wait for its turn."""
        from tui_latent.launch import queue
        from tui_latent.tui.remapping import key_name

        place = await asyncio.to_thread(queue.queue_run, path)
        key = key_name("app.queue", self._keymap)
        words = f"{path.name} is number {place} in the queue. {key} shows and reorders it."
        self.notify(words, title="Queue", timeout=8, markup=False)

    def action_queue(self) -> None:
        """Show the runs that wait."""
        from tui_latent.tui.screens.dialogs.queue import QueueScreen

        if not isinstance(self.screen, QueueScreen):
            self.push_screen(QueueScreen(self.runs))

    @on(messages.QueueStartRequested)
    def start_queue(self, message: messages.QueueStartRequested) -> None:
        """Let a process work on the queue."""
        self._start_queue(message.folder)

    @work(group="queue", thread=True, exit_on_error=False)
    def _start_queue(self, folder: Path) -> None:
        from tui_latent.launch import queue
        from tui_latent.runs.schema import RunError

        try:
            queue.work_on_queue(folder)
        except RunError as error:
            self.notify(str(error), title="Queue", severity="error", markup=False)

    @on(messages.LabelsRequested)
    def edit_labels(self, message: messages.LabelsRequested) -> None:
        """Ask for the name, the tags and the notes of a run, and write them."""
        from tui_latent.runs.labels import change_labels, read_labels
        from tui_latent.runs.schema import Labels, RunError
        from tui_latent.tui.screens.dialogs.labels import LabelsScreen

        path = message.path

        def write(labels: Labels | None) -> None:
            if labels is None:
                return
            try:
                change_labels(path, name=labels.name, tags=labels.tags, notes=labels.notes)
            except RunError as error:
                self.notify(str(error), severity="error", markup=False)

        self.push_screen(LabelsScreen(path.name, read_labels(path)), write)

    def _tell_not_started(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        self.notify(text, title="Start failed", severity="error", timeout=20, markup=False)

    @on(Worker.StateChanged)
    def end_training(self, event: Worker.StateChanged) -> None:
        """Notice when the training has ended."""
        self.training.note_end(event)

    # Screens

    @on(messages.SettingsRequested)
    def edit_settings(self, message: messages.SettingsRequested) -> None:
        """Edit a preset's settings, then train it."""
        from tui_latent.tui.screens.settings.screen import SettingsScreen

        name = message.preset_name

        def begin(edited: tuple[Preset, str | None] | None) -> None:
            if edited is not None:
                self.start_run(name, *edited)

        form = SettingsScreen(name, message.table, message.preset, self.runs)
        self.push_screen(form, begin)

    @on(messages.PresetSaveRequested)
    def save_preset(self, message: messages.PresetSaveRequested) -> None:
        """Save a preset of one's own, and say where it is."""
        from tui_latent.config.own_presets import save_preset
        from tui_latent.config.preset_files import PresetError

        name = message.name
        try:
            path = save_preset(message.folder, name, message.table, message.replace)
        except PresetError as error:
            self.notify(str(error), title="Not saved", severity="error", timeout=20, markup=False)
        else:
            message.saved()
            words = f"{path}\nIt is in the menu; in a shell: tui-latent train {name}"
            self.notify(words, title=f"Saved {name}", timeout=10, markup=False)

    @on(messages.PresetImagesRequested)
    def show_preset_images(self, message: messages.PresetImagesRequested) -> None:
        """Show what a training with a preset would see."""
        from tui_latent.tui.screens.images.preset_images import PresetImagesScreen

        self.push_screen(PresetImagesScreen(message.preset_name, message.preset))

    @on(messages.ViewerRequested)
    def show_images(self, message: messages.ViewerRequested) -> None:
        """Show a run's images."""
        from tui_latent.tui.screens.images.screen import ViewerScreen

        self.push_screen(ViewerScreen(message.path, self.drawer, message.index, message.page))

    @on(messages.ExplorerRequested)
    def explore(self, message: messages.ExplorerRequested) -> None:
        """Explore a run's map."""
        from tui_latent.tui.screens.explorer.screen import ExplorerScreen

        explorer = ExplorerScreen(message.path, self.drawer, message.cursor)
        explorer.enter_by(message.pair, message.only)
        self.push_screen(explorer)

    @on(messages.EvaluationRequested)
    def show_evaluation(self, message: messages.EvaluationRequested) -> None:
        """Show a run's evaluation."""
        from tui_latent.tui.screens.evaluation.screen import EvaluationScreen

        self.push_screen(EvaluationScreen(message.path, self.drawer))

    @on(messages.VerdictRequested)
    def show_verdict(self, message: messages.VerdictRequested) -> None:
        """Show the findings about a run, and follow the one that is chosen."""
        from tui_latent.tui.screens.dialogs.findings import FindingsScreen

        def follow(door: Door | None) -> None:
            if door is not None:
                asked = messages.DoorRequested(message.path, door, message.cursor)
                self.screen.post_message(asked)

        self.push_screen(FindingsScreen(message.verdict), follow)

    @on(messages.DoorRequested)
    def go_through(self, message: messages.DoorRequested) -> None:
        """Open the screen that shows what a finding rests on."""
        path, door, cursor = message.path, message.door, message.cursor
        if door.place == "evaluation":
            self.show_evaluation(messages.EvaluationRequested(path))
        elif door.place == "images":
            self.show_images(messages.ViewerRequested(path, page="reconstructions"))
        elif door.place in ("map", "confusion"):
            cursor.step = door.step
            confused = door.truth is not None and door.called is not None
            pair = (door.truth, door.called) if confused else None
            self.explore(messages.ExplorerRequested(path, cursor, pair))  # type: ignore[arg-type]

    @on(messages.ComparisonRequested)
    def compare(self, message: messages.ComparisonRequested) -> None:
        """Compare runs."""
        from tui_latent.tui.screens.compare.screen import CompareScreen

        self.push_screen(CompareScreen(message.paths, self.drawer))

    # Reports

    @on(messages.ReportRequested)
    def export_report(self, message: messages.ReportRequested) -> None:
        """Export a run's report in the background."""
        self.notify("Writing the report…")
        self._write_report(partial(self._export, message.path))

    @on(messages.ComparisonExportRequested)
    def export_comparison(self, message: messages.ComparisonExportRequested) -> None:
        """Export a comparison in the background."""
        from tui_latent.launch import export

        self.notify("Writing the comparison…")
        self._write_report(lambda: export.export_comparison(message.paths))

    @work(group="report", thread=True, exit_on_error=False)
    def _write_report(self, write: Callable[[], Path]) -> None:
        try:
            png = write()
        # Nobody waits for this thread, so it must report its own failure.
        except Exception as error:
            text = str(error) or type(error).__name__
            self.notify(text, title="Report failed", severity="error", timeout=20, markup=False)
        else:
            self.notify(str(png), title="Report", timeout=20, markup=False)

    # The application

    def action_help(self) -> None:
        """Show every key of this screen."""
        from tui_latent.tui.screens.dialogs.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    async def action_quit(self) -> None:
        """Quit; after asking, a training is stopped and saved first."""
        self._quit(ask=True)

    def leave(self) -> None:
        """Quit without asking, as the system requests."""
        self._quit(ask=False)

    @work(group="quit", exclusive=True)
    async def _quit(self, ask: bool) -> None:
        if ask and not await self.training.may_stop(
            "Quit", "Stop it, save it and quit?", "Stop and quit"
        ):
            return
        await self.training.stop(None)
        self.exit(0)

    def _tell_drawing_failed(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        self.notify(text, title="Drawing failed", severity="error", markup=False)
