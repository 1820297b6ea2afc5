"""Every screen as a picture to look at: at four sizes, dark, light and without colour.

python -m benchmarks.pictures FOLDER     all of them: an hour, after three minutes of training
python -m benchmarks.pictures FOLDER --only explorer --sizes 80x24      a few of them
python -m benchmarks.pictures FOLDER --runs DIR      keep the runs there, and use them the next time

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

from benchmarks.picture_runs import PAIR, WATCHED, made, paused
from benchmarks.screenshot import CHANGE, PRESET, Steps, picture
from tui_latent.config.preset_files import preset_path, read_table
from tui_latent.config.presets import load_preset
from tui_latent.runtime.openmp import limit_spinning
from tui_latent.tui import messages
from tui_latent.tui.time_cursor import TimeCursor

SIZES: Final = ("80x24", "100x30", "120x40", "200x55")
LOOKS: Final = ("dark", "light", "no-color")


def screens(runs: Path) -> dict[str, Steps]:
    """Return what leads from the menu to each screen, by its name."""
    first, second = (runs / name for name in PAIR)
    return {
        "menu-presets": (),
        "menu-filter": ("slash", *"vae"),
        "menu-runs": ("tab", "m"),
        "menu-columns": ("tab", "L"),
        "menu-labels": ("tab", "T"),
        "menu-delete": ("tab", "d"),
        "form": (_form(), CHANGE, *"0.01"),
        "form-save": (_form(), "ctrl+w"),
        **_dashboards(runs, first),
        **_explorers(runs, first),
        **_evaluations(runs, first),
        "comparison": (messages.ComparisonRequested([first, second]),),
        "comparison-full": (messages.ComparisonRequested([first, second]), "tab", "f"),
        "comparison-metric": (messages.ComparisonRequested([first, second]), "slash"),
        "comparison-six": (messages.ComparisonRequested(_six(runs)),),
        "sweep": (messages.RunRequested(runs / "a-sweep"),),
        "sweep-picture": (messages.RunRequested(runs / "a-sweep"), "tab", "f"),
        "sweep-maps": (messages.RunRequested(runs / "a-sweep"), "tab", "tab", "f"),
        **_viewers(runs, first),
    }


def _form() -> messages.SettingsRequested:
    return messages.SettingsRequested(PRESET, read_table(preset_path(PRESET)), load_preset(PRESET))


def _six(runs: Path) -> list[Path]:
    return [runs / name for name in (*PAIR, "collapsed", "gaussian", "three", "photos")]


def _dashboards(runs: Path, first: Path) -> dict[str, Steps]:
    run = messages.RunRequested(first)
    return {
        "dashboard": (run,),
        "dashboard-loss": (run, "tab", "f"),
        "dashboard-knn": (run, "tab", "tab", "f"),
        "dashboard-earlier": (run, "["),
        "dashboard-film": (run, "E"),
        "dashboard-readout": (run, "tab", *["left"] * 6),
        "dashboard-failed": (messages.RunRequested(runs / "failed"),),
        "dashboard-collapsed": (messages.RunRequested(runs / "collapsed"),),
        "dashboard-paused": (messages.RunRequested(runs / "paused"),),
        "dashboard-photos": (messages.RunRequested(runs / "photos"),),
        "dashboard-watched": (messages.RunRequested(runs / WATCHED),),
        "dashboard-three": (messages.RunRequested(runs / "three"),),
        "dashboard-gaussian": (messages.RunRequested(runs / "gaussian"),),
        "verdict": (run, "enter"),
        "help": (run, "question_mark"),
        "desk": (messages.EditRequested(runs / "paused"),),
        "edit": (messages.EditRequested(first),),
        "fork": (messages.ForkRequested(first),),
        "retry": (messages.ResumeRequested(runs / "failed"),),
        "queue": ("Q",),
    }


def _explorers(runs: Path, first: Path) -> dict[str, Steps]:
    def of(path: Path) -> messages.ExplorerRequested:
        return messages.ExplorerRequested(path, TimeCursor())

    explorer = of(first)
    return {
        "explorer": (explorer, "right", "V"),
        "explorer-clusters": (explorer, "c"),
        "explorer-errors": (explorer, "c", "c"),
        "explorer-anomaly": (explorer, "c", "c", "c"),
        "explorer-density": (explorer, "c", "c", "c", "c"),
        "explorer-images": (explorer, "i"),
        "explorer-movers": (explorer, "M"),
        "explorer-find": (explorer, "slash", *"3"),
        "explorer-film": (explorer, "E"),
        "explorer-pair": (messages.ExplorerRequested(first, TimeCursor(), (8, 1)),),
        "explorer-three": (of(runs / "three"), "right"),
        "explorer-photos": (of(runs / "photos"), "right"),
        "explorer-column": (of(runs / "table"), "right", "c"),
        "explorer-ordered": (of(runs / "table"), "right", "c", "c"),
        "explorer-vectors": (messages.RunRequested(runs / "vectors"),),
    }


def _evaluations(runs: Path, first: Path) -> dict[str, Steps]:
    return {
        "evaluation": (messages.EvaluationRequested(first),),
        "evaluation-middle": (messages.EvaluationRequested(first), "pagedown"),
        "evaluation-end": (messages.EvaluationRequested(first), "end"),
        "evaluation-photos": (messages.EvaluationRequested(runs / "photos"),),
        "evaluation-failed": (messages.EvaluationRequested(runs / "failed"),),
        "evaluation-outliers": (messages.EvaluationRequested(first), "u"),
        "quit-while-busy": (messages.EvaluationRequested(first), "t", "s"),
    }


def _viewers(runs: Path, first: Path) -> dict[str, Steps]:
    gaussian = messages.ViewerRequested(runs / "gaussian")
    return {
        **{f"images-{page}": (messages.ViewerRequested(first), page) for page in "12345678"},
        **{f"images-gaussian-{page}": (gaussian, page) for page in "3456"},
        "images-photos": (messages.ViewerRequested(runs / "photos"),),
        "images-preset": (messages.PresetImagesRequested(PRESET, load_preset(PRESET)),),
    }


def main(say: Callable[[object], None] = print) -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=Path, help="folder of the runs to show, made if it is empty")
    parser.add_argument("--only", default="", help="screens whose name begins with this")
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--looks", nargs="+", default=LOOKS, choices=LOOKS)
    parser.add_argument("--still", type=float, default=1.5, help="seconds without a change")
    asked = parser.parse_args()
    limit_spinning()
    folder = asked.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    kept = asked.runs and asked.runs.absolute()
    own = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(contextlib.chdir(place))
        # Neither a person's settings nor how runs were last shown may change a picture.
        os.environ.update({name: str(place / name) for name in own})
        runs = made(kept or place / "runs")
        stack.callback(paused(runs))
        found = screens(runs).items()
        wanted = [(each, steps) for each, steps in found if each.startswith(asked.only)]
        for look, size, (each, steps) in product(asked.looks, asked.sizes, wanted):
            os.environ.pop("NO_COLOR", None)
            if look == "no-color":
                os.environ["NO_COLOR"] = "1"
            columns, lines = (int(number) for number in size.split("x"))
            drawn = picture(runs, steps, (columns, lines), light=look == "light", still=asked.still)
            path = folder / f"{each}-{size}-{look}.svg"
            path.write_text(asyncio.run(drawn))
            say(path)


if __name__ == "__main__":
    main()
