"""The dashboard's application: it owns the training and opens the screens.

Screens are pushed over the menu. They know nothing of the application: they post messages to
request something from it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import App, SystemCommand
from textual.color import Color
from textual.driver import Driver
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from tui_latent.palettes import css_variables, use_class_colors
from tui_latent.preferences.config_file import SETTING_NAMES
from tui_latent.preferences.kept import Kept
from tui_latent.runtime.cpu_share import count_this_thread
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.gc_freeze import FrozenModules
from tui_latent.tui.keymap import bindings
from tui_latent.tui.notices import CSS as NOTICE_CSS
from tui_latent.tui.notices import LOW, SHARE, breakable, outdated
from tui_latent.tui.own_training import OwnTraining, Train
from tui_latent.tui.run_dialogs import RunDialogs
from tui_latent.tui.run_starter import Create, RunStarter, StartProcess
from tui_latent.tui.screen_opener import Export
from tui_latent.tui.screens.base import TOO_SMALL_CSS, BaseScreen

if TYPE_CHECKING:
    from textual.command import Provider

    from tui_latent.config.settings import Preset
    from tui_latent.runs.schema import Status
    from tui_latent.tui.charts.terminal_images import Way
    from tui_latent.tui.detached_training import DetachedTraining

# Imports inside functions bring numpy, torch and others, which the first frame does not need.

_SECONDS_BETWEEN_FREEZES = 1.0
_DARKER = 0.14
"""by how much the accent of a light theme is darkened: 4.5:1 against panels and dialogs"""


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


def _binding_commands() -> type[Provider]:
    from tui_latent.tui.commands import BindingCommands

    return BindingCommands


class LatentApp(RunStarter):
    """Choose a preset, train it in a thread, watch its run folder."""

    TITLE = "tui-latent"
    COMMANDS = App.COMMANDS | {_binding_commands}
    BINDINGS = bindings("app")
    CSS = NOTICE_CSS + TOO_SMALL_CSS
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]

    def __init__(
        self,
        runs: Path,
        *,
        other_runs: Sequence[Path] = (),
        open_path: Path | None = None,
        compared: Sequence[Path] = (),
        light: bool = False,
        keymap: Mapping[str, str] | None = None,
        train: Train = _train,
        create: Create = _create,
        start_process: StartProcess = _start_process,
        export: Export = _export,
        kept: Kept | None = None,
    ) -> None:
        """`open_path` is a run to begin with, `compared` are several to begin with a comparison of.

        `light` starts with the light theme, for a terminal with a light background.

        `keymap` maps ids of `keymap.KEYMAP` to keys; KeymapError if it cannot be used. `kept` has
        a person's settings, whose keys are used if there is no `keymap`; None keeps nothing.

        New runs are made in `runs`; the menu also lists those of `other_runs`, on request.

        `train` and `export` run in threads of their own; only these import torch.
        """
        self.kept = kept or Kept()
        use_class_colors(self.kept.preferences.palette)  # before the style sheets are read
        super().__init__()
        self.runs = runs
        """folder of new runs"""
        self._folders = (runs, *other_runs)
        self.drawer = WorkerThread(self._tell_drawing_failed)
        """the one thread that draws plots"""
        self.training = OwnTraining(self, train)
        self._dialogs = RunDialogs(self, runs, self._begin)
        self._open_path, self._compared = open_path, compared
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

    def get_driver_class(self) -> type[Driver]:
        """Return the driver of the terminal: ours instead of Textual's on Linux and macOS."""
        from textual.drivers.linux_driver import LinuxDriver

        from tui_latent.tui.terminal_driver import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables and the class colours for its background."""
        dark = self.current_theme.dark
        variables = super().get_css_variables() | css_variables(dark)
        if not dark:  # neither borders nor titles in a bright accent are readable there
            accent = Color.parse(variables["text-accent"])
            if accent.ansi is None:  # one of the terminal's own colours stays as it is
                accent = accent.darken(_DARKER)
            variables["accent"] = variables["text-accent"] = accent.css
        return variables

    def heed_terminal(self, way: Way, typed: bytes) -> None:
        """Draw images the way the terminal can, and replay the keys typed before the start."""
        if way != "cells":
            from tui_latent.tui.charts.image_grid import use_real_pixels

            use_real_pixels(way)
        if typed:
            from tui_latent.tui.terminal_driver import TerminalDriver

            TerminalDriver.typed_before = typed

    def get_default_screen(self) -> Screen[None]:
        """Return the menu, over which all other screens are pushed."""
        from tui_latent.tui.screens.menu.screen import MenuScreen

        return MenuScreen(
            *self._folders,
            arrangement=self.kept.look(None, "runs table"),
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
        elif self._compared:
            self.post_message(messages.ComparisonRequested(self._compared))

    async def on_unmount(self) -> None:
        self.drawer.close()
        # If the screen crashes, the process must not continue to train unseen.
        if self._detached is None or not self._detached.begun:
            self.training.ask_to_stop()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Return the commands that have no key."""
        yield SystemCommand("View: Theme", "Change the colour theme", self.action_change_theme)

    # Settings

    def _keep_theme(self, theme: Theme) -> None:
        self._keep_setting("theme", theme.name)

    def _keep_setting(self, name: str, value: Any) -> None:
        if problem := self.kept.keep_setting(name, value):
            self.notify(problem, title="Settings", severity="warning", markup=False)

    @on(messages.ChoiceKept)
    def keep_choice(self, message: messages.ChoiceKept) -> None:
        """Keep a choice for the next start."""
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
        """Show a notice unless the settings turn off notices of its severity."""
        wanted = {"problems": ("warning", "error"), "errors": ("error",)}
        if severity in wanted.get(self.kept.preferences.notifications, (severity,)):
            share = self.screen.NOTICE_SHARE if isinstance(self.screen, BaseScreen) else SHARE
            message = breakable(message, self.size.width, share)
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def on_notify(self, event: Notify) -> None:
        """Remove the notices that a new one replaces; Textual adds the new one afterwards."""
        for each in outdated(self._notifications, event.notification):
            self._unnotify(each, refresh=False)

    # The application

    def action_help(self) -> None:
        """Show every key of this screen."""
        from tui_latent.tui.screens.dialogs.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    async def action_quit(self) -> None:
        """Quit; if a run is training, ask first, then stop and save it."""
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
