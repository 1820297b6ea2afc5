"""A run that trains, with settings that can be changed, for the dialogs about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Static

from tests.tui.made_runs import running, write_records
from tests.tui.pilots import dashboard, until
from tui_latent.config.presets import load_preset
from tui_latent.runs.writer import RunWriter

NAME = "20261122-134500-mnist-contrastive-2d"


def live_run(runs: Path, checkpoints: tuple[int, ...] = (600, 700), **status: Any) -> RunWriter:
    """Make a run in the last of three stages; it is live until it is closed."""
    preset = load_preset("mnist-contrastive-2d").model_dump(mode="json")
    about = {"preset": "mnist-contrastive-2d", "seed": 0}
    writer = RunWriter.create(runs, "mnist-contrastive-2d", preset, about, NAME)
    writer.lock()
    write_records(writer)
    (writer.path / "checkpoints").mkdir()
    for step in checkpoints:
        (writer.path / "checkpoints" / f"step-{step:09d}.pt").write_bytes(b"")
    running(writer, **status)
    return writer


async def opened(pilot: Pilot[Any], key: str, path: Path) -> ModalScreen[Any]:
    """Press a key on the dashboard, and return the dialog that it opens."""
    await dashboard(pilot, path)
    await until(pilot, lambda: bool(pilot.app.screen._snapshot.preset))  # type: ignore[attr-defined]
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ModalScreen))
    screen = pilot.app.screen
    assert isinstance(screen, ModalScreen)
    return screen


def text_of(screen: ModalScreen[Any], place: str) -> str:
    """Return what a line of a dialog says."""
    return str(screen.query_one(place, Static).content)
