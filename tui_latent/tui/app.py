"""The dashboard's application: it owns the training, the screens only look and ask.

Screens are pushed over the menu. Every binding carries an `id` of the form `group.verb`
and a `tooltip`: the footer, the palette ("Group: Verb") and the help screen are made of
the bindings, so no action can be missing in one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import App
from textual.binding import Binding
from textual.worker import Worker, WorkerFailed

from tui_latent.records.schema import Status

if TYPE_CHECKING:
    from tui_latent.settings import Preset

Train = Callable[[Path], Status]
Create = Callable[[str, "Preset", Path], Path]


def _train(path: Path) -> Status:
    from tui_latent.launch import train_run

    return train_run(path)


def _create(preset_name: str, preset: Preset, runs: Path) -> Path:
    from tui_latent.launch import create_run

    return create_run(preset_name, preset, runs)


class LatentApp(App[int]):
    """Choose a preset, train it in a thread, watch its run folder."""

    TITLE = "tui-latent"
    CSS_PATH = "app.tcss"
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
    ) -> None:
        super().__init__()
        self.runs = runs
        """folder of the runs"""
        self.training_path: Path | None = None
        """run that this process trains now"""
        self._open_path = open_path
        self._train = train
        self._create = create
        self._training: Worker[Status] | None = None

    def on_mount(self) -> None:
        from tui_latent.tui.screens.menu import MenuScreen

        self.push_screen(MenuScreen())
        if self._open_path is not None:
            self.open_run(self._open_path)

    def open_run(self, path: Path) -> None:
        """Watch a run, whoever trains it."""
        from tui_latent.tui.screens.dashboard import DashboardScreen

        self.push_screen(DashboardScreen(path))

    def start_run(self, preset_name: str, preset: Preset) -> None:
        """Create a run of a preset, train it and open its dashboard."""
        self._begin(lambda: self._create(preset_name, preset, self.runs))

    def resume_run(self, path: Path) -> None:
        """Train a run on from its last checkpoint and open its dashboard."""
        self._begin(lambda: path)

    @work(group="begin", exclusive=True)
    async def _begin(self, run_path: Callable[[], Path]) -> None:
        path = run_path()
        self.training_path = path
        self._training = self.run_worker(
            lambda: self._train(path), group="training", thread=True, exit_on_error=False
        )
        self.open_run(path)

    async def stop_training(self) -> None:
        """Ask the training of this process to stop and save; return when it has."""
        from tui_latent.records.control import request

        if self.training_path is None or self._training is None:
            return
        request(self.training_path, state="stop")
        try:
            await self._training.wait()
        except WorkerFailed:
            pass
