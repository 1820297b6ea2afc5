"""Every screen as a picture to look at: at four sizes, dark, light and without colour.

python -m benchmarks.pictures FOLDER [RUN RUN]   about 10 minutes; trains two runs if none are given
python -m benchmarks.pictures FOLDER --only explorer --sizes 80x24      a few of them

Writes FOLDER/SCREEN-SIZE-LOOK.svg.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.screenshot import CHANGE, PRESET, Steps, picture, trained_pair
from tui_latent.config.preset_files import preset_path, read_table
from tui_latent.config.presets import load_preset
from tui_latent.runtime.openmp import limit_spinning
from tui_latent.tui import messages
from tui_latent.tui.time_cursor import TimeCursor

SIZES: Final = ("80x24", "100x30", "120x40", "200x55")
LOOKS: Final = ("dark", "light", "no-color")


def screens(first: Path, second: Path) -> dict[str, Steps]:
    """Return what leads from the menu to each screen, by its name."""
    preset, table = load_preset(PRESET), read_table(preset_path(PRESET))
    explorer = messages.ExplorerRequested(first, TimeCursor())
    form = messages.SettingsRequested(PRESET, table, preset)
    run = messages.RunRequested(first)
    return {
        "menu-presets": (),
        "menu-runs": ("tab", "m"),
        "menu-columns": ("tab", "L"),
        "menu-labels": ("tab", "T"),
        "form": (form, CHANGE, *"0.01"),
        "form-save": (form, "ctrl+w"),
        "dashboard": (run,),
        "dashboard-full": (run, "tab", "f"),
        "dashboard-earlier": (run, "["),
        "dashboard-film": (run, "E"),
        "verdict": (run, "enter"),
        "help": (run, "question_mark"),
        "explorer": (explorer, "right", "V"),
        "explorer-clusters": (explorer, "c"),
        "explorer-errors": (explorer, "c", "c"),
        "explorer-density": (explorer, "c", "c", "c", "c"),
        "explorer-images": (explorer, "i"),
        "explorer-movers": (explorer, "M"),
        "explorer-find": (explorer, "slash", *"3"),
        "explorer-film": (explorer, "E"),
        "evaluation": (messages.EvaluationRequested(first),),
        "evaluation-end": (messages.EvaluationRequested(first), "end"),
        "comparison": (messages.ComparisonRequested([first, second]),),
        "comparison-full": (messages.ComparisonRequested([first, second]), "tab", "f"),
        **{f"images-{page}": (messages.ViewerRequested(first), page) for page in "12345678"},
        "fork": (messages.ForkRequested(first),),
        "quit-while-busy": (messages.EvaluationRequested(first), "t", "s"),
    }


def main(say: Callable[[object], None] = print) -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures")
    parser.add_argument("folder", type=Path)
    parser.add_argument("run", type=Path, nargs="*", help="two finished runs of one folder")
    parser.add_argument("--only", default="", help="screens whose name begins with this")
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--looks", nargs="+", default=LOOKS, choices=LOOKS)
    parser.add_argument("--still", type=float, default=1.5, help="seconds without a change")
    asked = parser.parse_args()
    limit_spinning()
    folder = asked.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    given = [path.absolute() for path in asked.run[:2]]
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        first, second = given or trained_pair(Path("trained").absolute())
        found = screens(first, second).items()
        wanted = [(each, steps) for each, steps in found if each.startswith(asked.only)]
        for look, size, (each, steps) in product(asked.looks, asked.sizes, wanted):
            os.environ.pop("NO_COLOR", None)
            if look == "no-color":
                os.environ["NO_COLOR"] = "1"
            columns, lines = (int(number) for number in size.split("x"))
            drawn = picture(
                first.parent, steps, (columns, lines), light=look == "light", still=asked.still
            )
            path = folder / f"{each}-{size}-{look}.svg"
            path.write_text(asyncio.run(drawn))
            say(path)


if __name__ == "__main__":
    main()
