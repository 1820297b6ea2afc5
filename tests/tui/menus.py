"""The menu in tests: an application that notes what it is asked for, presets and runs to choose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.pilots import until
from tui_latent.config.settings import Preset
from tui_latent.runs.schema import RunSummary
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.hardware import Device
from tui_latent.tui.app import LatentApp
from tui_latent.tui.screens.menu.preset_details import PresetDetails
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.preset_pane import PresetPane
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.screens.menu.screen import MenuScreen
from tui_latent.tui.widgets.line_list import LineList

NOW: Final = 1_795_400_000.0
"""the menu's clock"""

CONTRASTIVE: Final = """
title = "Digits as a map: two numbers per image, and no label seen"
about = "The contrastive map of a well-known system: subtle views keep classes apart."
{top}
[data]
source = "{source}"
[augment]
rotate = 15
elastic = 0.05
[method]
name = "contrastive"
latent_dim = {dim}
norm_weight = 0.01
[train]
epochs = 40
batch_size = 1024
"""


class NotingApp(LatentApp):
    """The application, but nothing is trained or opened: what the menu asks for is noted."""

    def __init__(self, runs: Path) -> None:
        super().__init__(runs)
        self.asked: list[tuple[Any, ...]] = []

    def get_default_screen(self) -> Screen[None]:
        return MenuScreen(self.runs, clock=lambda: NOW)

    def start_run(self, preset_name: str, preset: Preset, name: str | None = None) -> None:
        self.asked.append(("start", preset_name, preset, name))

    def resume_run(self, path: Path) -> None:
        self.asked.append(("resume", path.name))

    def start_in_background(self, preset_name: str, preset: Preset) -> None:
        self.asked.append(("background", preset_name))

    def resume_in_background(self, path: Path) -> None:
        self.asked.append(("resume in background", path.name))

    def open_run(self, path: Path, over: bool = False) -> None:
        self.asked.append(("open", path.name))


@pytest.fixture
def presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the bundled presets by three good ones, and this machine by one of two cores."""
    folder = tmp_path / "presets"
    folder.mkdir()
    for name, source, dim, top in (
        ("cifar10-contrastive-128d", "cifar10", 128, ""),
        ("digits-contrastive-2d", "digits", 2, 'expect = {"val/knn_20" = 0.951}'),
        ("digits-contrastive-8d", "digits", 8, "minutes = {cpu = 1.0, cuda = 0.5}"),
    ):
        text = CONTRASTIVE.format(source=source, dim=dim, top=top)
        (folder / f"{name}.toml").write_text(text)
    monkeypatch.setattr("tui_latent.config.preset_files.preset_folder", lambda: folder)
    cpu = Device("cpu", 0, "A processor", None, None)
    monkeypatch.setattr("tui_latent.runtime.hardware.devices", lambda: (cpu,))
    monkeypatch.setattr("tui_latent.runtime.hardware.cpu_cores", lambda: 2)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2.14.1")
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "data"))
    return folder


def run_in(
    runs: Path,
    name: str,
    age: float = 7200.0,
    preset: str = "digits-contrastive-2d",
    provenance: Mapping[str, Any] = {},
    **status: Any,
) -> Path:
    """Make a run that nobody trains."""
    about = {"preset": preset, "created": NOW - age, **provenance}
    table = {"data": {"source": "digits"}, "method": {"name": "contrastive", "latent_dim": 2}}
    writer = RunWriter.create(runs, preset, table, about, name)
    writer.status(**{"state": "stopped", "step": 31, "total_steps": 100, "device": "cpu"} | status)
    writer.close()
    return writer.path


async def menu(pilot: Pilot[Any]) -> MenuScreen:
    """Return the menu when all its threads have brought what they had to bring."""
    screen = pilot.app.screen
    assert isinstance(screen, MenuScreen)
    pane = screen.query_one(PresetPane)

    def known() -> bool:
        return (
            bool(pane._facts)
            and bool(screen._device)
            and "Reading the runs" not in runs_text(screen)
        )

    await until(pilot, known)
    return screen


def presets_text(screen: MenuScreen) -> list[str]:
    """Return the lines of the list of presets, without the filter box."""
    options = screen.query_one(PresetList).query("StableList").first().options  # type: ignore[attr-defined]
    return [str(option.prompt).rstrip() for option in options]


def runs_text(screen: MenuScreen) -> str:
    """Return what stands in the panel of runs."""
    table = screen.query_one(RunTable)
    if table.has_class("-empty"):
        return str(table.query_one(".empty").content)  # type: ignore[attr-defined]
    lines = table.query_one(LineList)
    return "\n".join(lines.text(index).rstrip() for index in range(lines.count))


def details_text(screen: MenuScreen) -> str:
    """Return the description of the preset, on one line."""
    text = str(screen.query_one(PresetDetails).query("Static").first().content)  # type: ignore[attr-defined]
    return " ".join(text.split())


def current_run(screen: MenuScreen) -> RunSummary:
    """Return the run under the cursor."""
    run = screen.query_one(RunTable).run
    assert run is not None
    return run
