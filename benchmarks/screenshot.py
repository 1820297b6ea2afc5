"""The README's pictures: a first session on the bundled digits, screen by screen, at 100x30.

python -m benchmarks.screenshot [RUN RUN]   trains two runs first (a minute) if none are given
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from tui_latent.config.preset_files import preset_path, read_table
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runtime.openmp import limit_spinning
from tui_latent.tui import messages
from tui_latent.tui.app import LatentApp
from tui_latent.tui.screens.settings.grid import SettingsGrid
from tui_latent.tui.time_cursor import TimeCursor

DOCS: Final = Path(__file__).absolute().parents[1] / "docs"
PRESET: Final = "digits-contrastive-2d"
CHANGE: Final = "stages.*.lr"
"""the setting that the second run changes, and the form's cursor is on"""
SIZE: Final = (100, 30)
_STILL: Final = 3.0
"""seconds without a change after which a screen counts as drawn"""
_PATIENCE: Final = 120.0
_BUSY: Final = ("Reading&#160;", "Colouring&#160;")
"""in the SVG of a screen that is not complete: `Reading the map …`"""

Steps = tuple[Message | str, ...]
"""messages to post and keys to press, each on a screen that is drawn"""


def pictures(first: Path, second: Path) -> dict[str, Steps]:
    """Return what leads from the menu to each picture."""
    preset, table = load_preset(PRESET), read_table(preset_path(PRESET))
    return {
        "menu.svg": (),
        "dashboard.svg": (messages.RunRequested(first),),
        "explorer.svg": (messages.ExplorerRequested(first, TimeCursor()), "right", "V"),
        "evaluation.svg": (messages.EvaluationRequested(first), "end"),
        "settings.svg": (messages.SettingsRequested(PRESET, table, preset), CHANGE, *"0.01"),
        "comparison.svg": (messages.ComparisonRequested([first, second]),),
    }


async def picture(
    runs: Path,
    steps: Steps,
    size: tuple[int, int] = SIZE,
    *,
    light: bool = False,
    still: float = _STILL,
) -> str:
    """Return a screen as SVG, once nothing on it has changed for `still` seconds."""
    app = LatentApp(runs, light=light)
    async with app.run_test(size=size) as pilot:
        await _drawn(pilot, still)
        for step in steps:
            if isinstance(step, Message):
                app.post_message(step)
                await _drawn(pilot, still)
            elif step == CHANGE:
                grid = app.screen.query_one(SettingsGrid)
                grid.action_move(list(grid._draft.fields).index(CHANGE))
            else:
                await pilot.press("full_stop" if step == "." else step)
        await _drawn(pilot, still)
        return app.export_screenshot(title="tui-latent")


async def _drawn(pilot: Pilot[int], still: float) -> None:
    """Wait until nothing on the screen has changed for a while."""
    start = changed = time.monotonic()
    shown = ""
    while time.monotonic() < min(changed + still, start + _PATIENCE):
        await asyncio.sleep(0.2)
        for box in pilot.app.screen.query(Input):
            box.cursor_blink = False
        now = pilot.app.export_screenshot()
        if now != shown or any(words in now for words in _BUSY):
            shown, changed = now, time.monotonic()


def _trained(runs: Path, name: str, changes: dict[str, object]) -> Path:
    path = create_run(PRESET, load_preset(PRESET, changes), runs, name)
    train_run(path)
    return path


def trained_pair(runs: Path) -> tuple[Path, Path]:
    """Train the preset as it is, and with another learning rate."""
    return _trained(runs, "as-in-the-preset", {}), _trained(runs, "faster", {CHANGE: 0.01})


def main(say: Callable[[object], None] = print) -> None:
    """Write the pictures."""
    limit_spinning()
    given = [Path(name).absolute() for name in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        runs = given[0].parent if given else Path("trained").absolute()
        first, second = given or trained_pair(runs)
        for name, steps in pictures(first, second).items():
            shown = runs if steps else Path("runs")  # the menu of someone who has none yet
            (DOCS / name).write_text(asyncio.run(picture(shown, steps)))
            say(DOCS / name)


if __name__ == "__main__":
    main()
