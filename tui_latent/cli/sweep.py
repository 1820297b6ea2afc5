"""The commands of sweeps; heavy imports stay inside them."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from tui_latent.cli.options import (
    FAILED,
    STOPPED,
    fail,
    fail_to_write,
    json_option,
    plugin_option,
    runs_option,
)
from tui_latent.nouns import counted
from tui_latent.preferences.runs_folders import folder_of_runs
from tui_latent.runs.schema import RunBusyError, RunError
from tui_latent.runtime.sanitize import plain_text

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.launch.sweep.conduct import Conductor, TrialResult
    from tui_latent.launch.sweep.engine import Engine
    from tui_latent.launch.sweep.plan import Plan, Planner
    from tui_latent.runs.sweep_folder import Search

_ENGINES = ("local", "ray", "slurm")


@click.command()
@click.argument("preset_name", metavar="PRESET")
@click.option(
    "--grid",
    "grids",
    metavar="KEY=V1,V2",
    multiple=True,
    help="Values to combine: train.lr=1e-3,1e-2. To draw from: train.lr=log:1e-4..1e-1.",
)
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a setting in every run."
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    help="Train each combination with this many seeds, beginning with the preset's.",
)
@click.option("--random", "drawn", type=click.IntRange(1), help="Draw this many combinations.")
@click.option("--search", type=click.Choice(["optuna"]), help="Choose values by earlier results.")
@click.option(
    "--maximise", "--maximize", metavar="METRIC", help="Search for the highest value of METRIC."
)
@click.option(
    "--minimise", "--minimize", metavar="METRIC", help="Search for the lowest value of METRIC."
)
@click.option("--trials", type=click.IntRange(1), help="Trials of a search (default: 40).")
@click.option(
    "--jobs", type=click.IntRange(1), help="Runs trained at a time (default: 1 on this machine)."
)
@click.option(
    "--engine", type=click.Choice(_ENGINES), default="local", help="Where the runs are trained."
)
@click.option("--address", help="Address of a Ray cluster (default: start one here).")
@click.option(
    "--slurm",
    "slurm",
    metavar="KEY=VALUE",
    multiple=True,
    help="Option of sbatch: partition=gpu, time=120 (minutes).",
)
@click.option("--name", help="Name of the sweep's folder (default: sweep- and the preset's name).")
@runs_option
@plugin_option
@json_option
def sweep(
    preset_name: str,
    grids: tuple[str, ...],
    settings: tuple[str, ...],
    seeds: int,
    drawn: int | None,
    search: str | None,
    maximise: str | None,
    minimise: str | None,
    trials: int | None,
    jobs: int | None,
    engine: str,
    address: str | None,
    slurm: tuple[str, ...],
    name: str | None,
    runs: str | None,
    as_json: bool,
) -> None:
    """Train PRESET once for every combination of the grids' values, in a folder of its own.

    Run the same command again to continue: finished runs are kept, others are resumed. More
    values and more seeds can be added.
    """
    from tui_latent.config.preset_files import PresetError, preset_stem
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.sweep.check import check_trials
    from tui_latent.launch.sweep.folder import SweepFolder
    from tui_latent.launch.sweep.grid import parse_grid
    from tui_latent.launch.sweep.plan import Planner, plan, sweep_name

    _refuse_misfits(grids, seeds, drawn, search, maximise, minimise, trials, engine, address, slurm)
    folder_of = folder_of_runs(runs)
    try:
        overrides = dict(parse_override(text) for text in settings)
        grid = [parse_grid(text) for text in grids]
        planner = Planner(preset_name, overrides, grid, seeds)
        searched = _search(search, maximise, minimise, trials, planner)
        planned = None if searched else plan(preset_name, overrides, grid, seeds, drawn)
        checked = planned.trials if planned else planner.corners()
        check_trials(checked, folder_of, preset_name)
    except (PresetError, RunError) as error:
        fail(error)
    _say_before(preset_name, planned, drawn, [trial.preset for trial in checked])
    called = name or sweep_name(preset_stem(preset_name))
    command = _command(click.get_current_context(), called, [trial.preset for trial in checked])
    try:
        works = _engine(engine, jobs, address, slurm, folder_of / called)
        folder = SweepFolder(folder_of, called, preset_name, command, planner.base, seeds)
        folder.make(grid, searched)
        results = _conduct(folder, preset_name, planner, planned, searched, works, as_json)
    except RunBusyError as error:
        fail(error, FAILED)
    except (PresetError, RunError) as error:
        fail(error)
    _report(preset_name, folder.path, results, as_json)


def _conduct(
    folder: Any,
    preset_name: str,
    planner: Planner,
    planned: Plan | None,
    searched: Search | None,
    works: Engine,
    as_json: bool,
) -> list[TrialResult]:
    from tui_latent.cli.sweep_progress import display
    from tui_latent.launch.sweep.conduct import conduct
    from tui_latent.launch.sweep.search import SearchedTrials
    from tui_latent.launch.sweep.sources import ListedTrials

    def source(made: Any) -> Any:
        if searched is not None:
            return SearchedTrials(made, planner, searched)
        assert planned is not None
        return ListedTrials(made, planned.trials)

    def heed_signals(conductor: Conductor) -> None:
        def stop(_number: int, _frame: FrameType | None) -> None:
            conductor.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it continues without its terminal

    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with display(sys.stderr if as_json else sys.stdout, folder.path) as watcher:
            return conduct(folder, preset_name, source, works, watcher, heed_signals)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_misfits(
    grids: Sequence[str],
    seeds: int,
    drawn: int | None,
    search: str | None,
    maximise: str | None,
    minimise: str | None,
    trials: int | None,
    engine: str,
    address: str | None,
    slurm: Sequence[str],
) -> None:
    """Exit where options do not go together."""
    problems = {
        "nothing is varied: give --grid KEY=V1,V2, or --seeds N": not grids and seeds < 2,
        "--random needs a --grid to draw from": drawn is not None and not grids,
        "--search needs a --grid to search in": search is not None and not grids,
        "--random and --search exclude each other": drawn is not None and search is not None,
        "--seeds and --search exclude each other: repeat the best settings afterwards": (
            search is not None and seeds > 1
        ),
        "--search needs one of --maximise METRIC and --minimise METRIC": (
            search is not None and (maximise is None) == (minimise is None)
        ),
        "--maximise, --minimise and --trials belong to --search optuna": (
            search is None and (maximise or minimise or trials) is not None
        ),
        "--address belongs to --engine ray": address is not None and engine != "ray",
        "--slurm belongs to --engine slurm": bool(slurm) and engine != "slurm",
    }
    for sentence, wrong in problems.items():
        if wrong:
            fail(sentence)


def _search(
    engine: str | None,
    maximise: str | None,
    minimise: str | None,
    trials: int | None,
    planner: Planner,
) -> Search | None:
    if engine is None:
        return None
    from tui_latent.launch.sweep.plan import refuse_many
    from tui_latent.launch.sweep.search import checked_search
    from tui_latent.launch.sweep.study import require_optuna

    refuse_many(trials or 0, "--trials")
    require_optuna()
    metric = maximise or minimise or ""
    terms = planner.base.method.terms
    return checked_search(engine, metric, maximise is not None, trials or 40, terms)


def _engine(
    engine: str, jobs: int | None, address: str | None, slurm: Sequence[str], path: Path
) -> Engine:
    from tui_latent.launch.sweep.engine import EngineError
    from tui_latent.launch.sweep.local import LocalEngine

    try:
        if engine == "ray":
            from tui_latent.launch.sweep.on_ray import RayEngine

            return RayEngine(address, jobs, path.parent)
        if engine == "slurm":
            from tui_latent.launch.sweep.on_slurm import SlurmEngine, slurm_executor

            return SlurmEngine(slurm_executor(path, slurm, jobs))
    except EngineError as error:
        fail(error)
    return LocalEngine(jobs or 1)


def _say_before(
    preset_name: str, planned: Plan | None, drawn: int | None, presets: Sequence[Any]
) -> None:
    from tui_latent.cli.training import warn_idle

    warn_idle(preset_name, *presets)
    for sentence in planned.twice if planned else ():
        click.echo(plain_text(f"tui-latent: {sentence}"), err=True)
    if planned and drawn is not None and len(planned.trials) + len(planned.twice) < drawn:
        are = "is" if len(planned.trials) == 1 else "are"
        found = counted(len(planned.trials), "combination")
        click.echo(f"tui-latent: there {are} only {found}", err=True)


def _command(context: click.Context, called: str, presets: Sequence[Preset]) -> str:
    """Return the command that continues this sweep from any folder."""
    from tui_latent.config.plugin_needs import plugin_files
    from tui_latent.config.preset_files import comes_with_us, preset_path

    given = dict(context.params)
    path = preset_path(given["preset_name"])
    if not comes_with_us(path):
        given["preset_name"] = str(path.absolute())
    if given["runs"] is not None:
        given["runs"] = str(folder_of_runs(given["runs"]).absolute())
    words = ["tui-latent", "sweep", given["preset_name"]]
    files = dict.fromkeys(file for preset in presets for file in plugin_files(preset))
    words += [word for file in files for word in ("--plugin", file)]
    for name, option in (("grids", "--grid"), ("settings", "--set"), ("slurm", "--slurm")):
        words += [word for value in given[name] for word in (option, value)]
    for name, option in (
        ("drawn", "--random"),
        *((key, f"--{key}") for key in ("search", "maximise", "minimise", "trials", "jobs")),
        ("address", "--address"),
        ("runs", "--runs"),
    ):
        words += [option, str(given[name])] if given[name] is not None else []
    words += ["--seeds", str(given["seeds"])] if given["seeds"] > 1 else []
    words += ["--engine", given["engine"]] if given["engine"] != "local" else []
    return shlex.join([*words, "--name", called])


def _report(preset_name: str, path: Path, results: Sequence[TrialResult], as_json: bool) -> None:
    """Print the results of the sweep, and exit with the code that they call for."""
    from tui_latent.cli.sweep_table import run_table, verdict_lines

    if as_json:
        listed = [
            {"set": dict(each.run.values), **each.result, "state": each.state} for each in results
        ]
        click.echo(json.dumps({"preset": preset_name, "path": str(path), "runs": listed}))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        lines = [*run_table(results, width), *verdict_lines(path, width)]
        click.echo("\n".join(plain_text(line) for line in lines))
    states = [each.state for each in results]
    if "stopped" in states or not results:
        click.echo("stopped; run the same command again to continue", err=True)
        sys.exit(STOPPED)
    if any(each.failed for each in results):
        sys.exit(FAILED)


@click.command("sweep-report")
@click.argument("name", metavar="SWEEP")
@click.option("--metric", help="Rank by this metric (default: the sweep's own).")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG to write (default: one in SWEEP's folder).",
)
@runs_option
@json_option
def sweep_report(
    name: str, metric: str | None, out: Path | None, runs: str | None, as_json: bool
) -> None:
    """Write the report of SWEEP (a path, a name or `latest`): a PNG, and its numbers as CSV."""
    from tui_latent.preferences.runs_folders import folders_of_runs
    from tui_latent.reports import ReportError
    from tui_latent.reports.sweep_export import export_sweep
    from tui_latent.runs.run_list import find_sweep

    try:
        path = find_sweep(folders_of_runs(runs), name)
    except RunError as error:
        fail(error)
    try:
        png, table, settings = export_sweep(path, metric, out)
    except ReportError as error:
        fail_to_write(error, out, "FILE.png")
    if as_json:
        files = {"png": str(png), "csv": str(table), "settings_csv": str(settings)}
        click.echo(json.dumps({"sweep": path.name, **files}))
    else:
        click.echo("\n".join(map(str, (png, table, settings))))
