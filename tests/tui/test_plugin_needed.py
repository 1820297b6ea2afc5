"""A run that needs a plugin: the dashboard shows it, and says what is missing to train it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.plugins.conftest import EXAMPLES
from tests.tui.made_runs import PRESET, ScriptedTrainer
from tests.tui.pilots import MenulessApp, dashboard, header, notes, until
from tui_latent.plugins.loading import load_file, unload_file
from tui_latent.runs.writer import RunWriter

PLUGIN = EXAMPLES / "plugin_barlow.py"
SIZE = (100, 30)


def needing(runs: Path) -> Path:
    """Make a run that was stopped, and whose method is that of the example."""
    parts = ["method barlow_twins"]
    provenance: dict[str, Any] = {
        "plugins": [{"name": PLUGIN.stem, "file": str(PLUGIN), "parts": parts}]
    }
    preset = {**PRESET, "method": {"name": "barlow_twins", "latent_dim": 2}}
    writer = RunWriter.create(runs, "mine", preset, provenance, "mine")
    writer.status(state="stopped")
    writer.close()
    return writer.path


@pytest.mark.slow
async def test_it_is_not_trained_without_the_plugin_and_the_notice_says_why(
    tmp_path: Path,
) -> None:
    path, trainer = needing(tmp_path), ScriptedTrainer(steps=20)
    app = MenulessApp(tmp_path, train=trainer)
    async with app.run_test(size=SIZE) as pilot:
        app.open_run(path)
        screen = await dashboard(pilot, path)
        await until(pilot, lambda: "stopped" in header(screen))
        app.resume_run(path)
        await until(pilot, lambda: "mine needs the plugin" in notes(pilot))
        assert f"add --plugin {PLUGIN}" in notes(pilot)
        assert not trainer.trained
        app.clear_notifications()
        app.resume_in_background(path)  # by a real process, which is not started
        await until(pilot, lambda: "mine needs the plugin" in notes(pilot))
    assert not trainer.trained and not (path / "train.log").exists()


@pytest.mark.slow
async def test_it_is_trained_once_the_plugin_is_loaded(tmp_path: Path) -> None:
    path, trainer = needing(tmp_path), ScriptedTrainer(steps=20)
    app = MenulessApp(tmp_path, train=trainer)
    plugin = load_file(str(PLUGIN))
    try:
        async with app.run_test(size=SIZE) as pilot:
            app.resume_run(path)
            screen = await dashboard(pilot, path)
            await until(pilot, lambda: "✓ finished" in header(screen))
    finally:
        unload_file(plugin)
    assert trainer.trained == [path]
