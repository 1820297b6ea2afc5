"""The command line; heavy imports stay inside the commands that need them."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from tui_latent.runs.schema import RunError
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores
from tui_latent.runtime.sanitize import plain_text

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset

FAILED, USAGE, STOPPED = 1, 2, 130
"""exit codes other than 0, success"""

Command = TypeVar("Command", bound=Callable[..., Any])


def fail(message: object, code: int = USAGE) -> NoReturn:
    """Print an error message on stderr and exit."""
    click.echo(f"tui-latent: {plain_text(str(message))}", err=True)
    sys.exit(code)


def runs_option(command: Command) -> Command:
    """Add `--runs DIR`."""
    text = "Folder of the runs (default: $TUI_LATENT_RUNS, else ./runs)."
    return click.option("--runs", metavar="DIR", help=text)(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object as the last line."
    )(command)


def background_option(command: Command) -> Command:
    """Add `--background`."""
    text = "Train in a background process that outlives the terminal."
    return click.option("--background", is_flag=True, help=text)(command)


class _Commands(click.Group):
    """Commands that report errors of the system and of run folders in one sentence."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError:  # as behind `| head`: click ends quietly
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{error.strerror or error}", FAILED)
        except RunError as error:
            fail(error, FAILED)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="tui-latent")
@runs_option
@click.pass_context
def main(context: click.Context, runs: str | None) -> None:
    """Train models of a low-dimensional latent space of images, and watch it form.

    Without a command, the dashboard opens.
    """
    keep_freed_memory()
    limit_spinning()
    number_by_bus()
    use_allowed_cores()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale without – or ● must not end a command
            stream.reconfigure(errors="replace")
    if context.invoked_subcommand is None:
        _open_dashboard(runs, None)


@main.command()
@json_option
def presets(as_json: bool) -> None:
    """List the presets."""
    from tui_latent.config.preset_files import PresetError, preset_names
    from tui_latent.config.presets import load_preset

    rows = []
    for name in preset_names():
        try:
            preset = load_preset(name)
        except PresetError as error:
            fail(error)
        rows.append(
            {
                "preset": name,
                "title": preset.title,
                "source": preset.data.source,
                "method": preset.method.name,
                "latent_dim": preset.method.latent_dim,
                "supervised": preset.method.supervised,
            }
        )
    if as_json:
        click.echo(json.dumps({"presets": rows}))
        return
    for row in rows:
        click.echo(f"{row['preset']:32} {row['latent_dim']:>4}-D  {row['title']}")


@main.command()
@click.argument("preset_name", metavar="PRESET")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a setting: train.epochs=5.",
)
@runs_option
@click.option("--name", help="Name of the run (default: the time and the preset's name).")
@click.option("--device", help="Device: auto, cpu, cuda or cuda:1.")
@click.option("--seed", type=click.IntRange(0), help="Random seed.")
@background_option
@json_option
def train(
    preset_name: str,
    settings: tuple[str, ...],
    runs: str | None,
    name: str | None,
    device: str | None,
    seed: int | None,
    background: bool,
    as_json: bool,
) -> None:
    """Train PRESET (a name, or the path of a .toml file) without the dashboard."""
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import load_preset, parse_override
    from tui_latent.launch.start import create_run
    from tui_latent.runs.run_list import runs_folder
    from tui_latent.runs.schema import RunError

    try:
        overrides = dict(parse_override(text) for text in settings)
        overrides |= {"train.device": device} if device is not None else {}
        overrides |= {"train.seed": seed} if seed is not None else {}
        preset = load_preset(preset_name, overrides)
        _tell_idle(preset_name, preset)
        path = create_run(preset_name, preset, runs_folder(runs), name)
    except (PresetError, RunError) as error:
        fail(error)
    _train(path, as_json, background)


@main.command()
@click.argument("preset_name", metavar="PRESET")
@click.option(
    "--grid",
    "grids",
    metavar="KEY=V1,V2",
    multiple=True,
    required=True,
    help="Values to combine: train.lr=1e-3,1e-2.",
)
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a setting in every run."
)
@click.option("--name", help="Prefix of the runs' names (default: sweep- and the preset's name).")
@runs_option
@json_option
def sweep(
    preset_name: str,
    grids: tuple[str, ...],
    settings: tuple[str, ...],
    name: str | None,
    runs: str | None,
    as_json: bool,
) -> None:
    """Train PRESET once for every combination of the grids' values, one run after the other.

    Run the same command again to continue: finished runs are kept, others are resumed.
    """
    from tui_latent.config.preset_files import PresetError, preset_stem
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.sweep import (
        parse_grid,
        plan,
        run_names,
        table,
        train_or_keep,
        unreadable,
    )
    from tui_latent.runs.run_list import runs_folder
    from tui_latent.runs.schema import LIVE_STATES, RunError, UnreadableError

    try:
        overrides = dict(parse_override(text) for text in settings)
        planned = plan(preset_name, overrides, [parse_grid(text) for text in grids])
    except PresetError as error:
        fail(error)
    trials = planned.trials
    _tell_idle(preset_name, *(trial.preset for trial in trials))
    for sentence in planned.twice:
        click.echo(plain_text(f"tui-latent: {sentence}"), err=True)
    names = run_names(name or f"sweep-{preset_stem(preset_name)}", trials)
    rows = []
    for number, (trial, called) in enumerate(zip(trials, names, strict=True), 1):
        click.echo(f"run {number} of {len(trials)}: {called}", err=True)
        try:
            result = train_or_keep(runs_folder(runs), preset_name, trial.preset, called, as_json)
        except UnreadableError as error:
            click.echo(error, err=True)
            result = unreadable(called, error)
        except (PresetError, RunError) as error:
            fail(error)
        rows.append((trial, result))
        if result["state"] == "stopped":
            break
    if as_json:
        listed = [{"set": dict(trial.values), **result} for trial, result in rows]
        click.echo(json.dumps({"preset": preset_name, "runs": listed}))
    else:
        click.echo("\n".join(plain_text(line) for line in table(rows)))
    if others := [result["run"] for _, result in rows if result["state"] in LIVE_STATES]:
        click.echo(f"still being trained by another process: {', '.join(others)}", err=True)
    if rows[-1][1]["state"] == "stopped":
        click.echo("stopped; run the same command again to continue", err=True)
        sys.exit(STOPPED)
    if any(result["state"] in ("failed", "unreadable") for _, result in rows):
        sys.exit(FAILED)


@main.command()
@click.argument("run")
@click.option(
    "--changed-images",
    is_flag=True,
    help="Resume even if the images have changed, and continue with the new ones.",
)
@click.option("--epochs", type=click.IntRange(1), help="Total number of epochs to train for.")
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change epochs or train.patience."
)
@runs_option
@background_option
@json_option
def resume(
    run: str,
    changed_images: bool,
    epochs: int | None,
    settings: tuple[str, ...],
    runs: str | None,
    background: bool,
    as_json: bool,
) -> None:
    """Resume RUN (a path, a name or `latest`) from its last checkpoint.

    With --epochs, a finished run can also be trained for longer. The learning rate then follows
    its schedule as if the new length had been planned from the start: a cosine that had reached 0
    continues above it. The run records the change.
    """
    path = _find(run, runs)
    if epochs is not None or settings:
        _lengthen(path, epochs, settings)
    if changed_images:
        from tui_latent.trained_on import accept_changed_images

        accept_changed_images(path)
    _train(path, as_json, background)


@main.command()
@click.argument("run")
@runs_option
def attach(run: str, runs: str | None) -> None:
    """Open the dashboard on RUN, whichever process trains it."""
    _open_dashboard(runs, _find(run, runs))


@main.command()
@click.argument("run")
@click.argument("what", type=click.Choice(["pause", "resume", "stop", "checkpoint", "lr"]))
@click.argument("factor", type=float, required=False)
@runs_option
def control(run: str, what: str, factor: float | None, runs: str | None) -> None:
    """Pause, resume or stop RUN, save a checkpoint, or scale its learning rate.

    `lr 0.5` halves the scheduled learning rate from now on, and `lr 1` restores it. If no process
    trains the run, the factor applies once it is resumed.
    """
    from tui_latent.runs.control import request
    from tui_latent.runs.run_list import run_status
    from tui_latent.runs.schema import LIVE_STATES, RunError

    if (what == "lr") != (factor is not None):
        fail("lr needs a factor, and only lr takes one: tui-latent control RUN lr 0.5")
    path = _find(run, runs)
    asked: dict[str, dict[str, Any]] = {
        "pause": {"state": "pause"},
        "resume": {"state": "run"},
        "stop": {"state": "stop"},
        "checkpoint": {"checkpoint": True},
        "lr": {"lr_factor": factor},
    }
    try:
        status = run_status(path)
        if what != "lr" and status.state not in LIVE_STATES:
            hint = f"; to resume it: tui-latent resume {path.name}" if what == "resume" else ""
            fail(f"{path.name} is {status.state}: no process trains it{hint}", FAILED)
        request(path, **asked[what])
    except ValueError as error:
        fail(error)
    except RunError as error:
        fail(error, FAILED)
    words = f"learning rate × {factor:g}" if what == "lr" else what
    click.echo(plain_text(f"{path.name}: {words} requested"))


@main.command()
@runs_option
@json_option
def runs(runs: str | None, as_json: bool) -> None:
    """List the runs, newest first."""
    from tui_latent.launch.progress import run_line, run_row
    from tui_latent.runs.run_list import list_runs, runs_folder
    from tui_latent.runs.schema import RunError

    try:
        folder = runs_folder(runs)
        summaries = list_runs(folder, certain=True)
    except RunError as error:
        fail(error)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "runs": [run_row(s) for s in summaries]}))
        return
    if not summaries:
        click.echo(f"no runs in {folder}; start one with: tui-latent train digits-contrastive-2d")
    for summary in summaries:
        click.echo(run_line(summary))


@main.command()
@click.argument("run")
@click.option(
    "--outliers",
    metavar="WHAT",
    help="Also draw a ROC curve against mnist, cifar10, …, folder:PATH, arrays:FILE or class:NAME.",
)
@runs_option
@json_option
def evaluate(run: str, outliers: str | None, runs: str | None, as_json: bool) -> None:
    """Measure RUN's newest latents: kNN, linear probe, clusters, collapse, outliers, map."""
    from tui_latent.analysis.evaluation_errors import AssessmentError, OutliersError
    from tui_latent.cli.evaluate import evaluate_in_terminal

    path = _find(run, runs)
    try:
        found = evaluate_in_terminal(path, outliers, as_json, sys.stdout, sys.stderr)
    except AssessmentError as error:
        fail(error, USAGE if isinstance(error, OutliersError) else FAILED)
    except KeyboardInterrupt:
        fail("stopped: nothing was written", STOPPED)
    if outliers and "outliers" in found["missing"]:
        fail(f"no ROC curve: {found['missing']['outliers']}", FAILED)


@main.command()
@click.argument("run")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="FILE.png")
@runs_option
@json_option
def report(run: str, out: Path | None, runs: str | None, as_json: bool) -> None:
    """Write RUN's report: a PNG, and its numbers as JSON."""
    from tui_latent.reports import ReportError, export_report

    path = _find(run, runs)
    try:
        png = export_report(path, out)
    except ReportError as error:
        fail(error, FAILED)
    if as_json:
        written = {"run": path.name, "png": str(png), "json": str(png.with_suffix(".json"))}
        click.echo(json.dumps(written))
    else:
        click.echo(png)


@main.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="FILE.png")
@runs_option
@json_option
def compare(names: tuple[str, ...], out: Path | None, runs: str | None, as_json: bool) -> None:
    """Compare two to eight runs: a table, a PNG, and its numbers as JSON."""
    from tui_latent.cli.comparison_table import comparison_text
    from tui_latent.reports import ReportError, comparison_table, read_comparison, write_comparison

    paths = [path for name in names if (path := _find_readable(name, runs)) is not None]
    try:
        shown = read_comparison(paths)
    except ReportError as error:
        fail(error)
    if not as_json:
        click.echo(comparison_text(shown))
    try:
        png = write_comparison(shown, out)
    except ReportError as error:
        fail(error, FAILED)
    if as_json:
        files = {"png": str(png), "json": str(png.with_suffix(".json"))}
        click.echo(json.dumps(files | comparison_table(shown, curves=False)))
    else:
        click.echo(f"\n{png}")


@main.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def fetch(names: tuple[str, ...]) -> None:
    """Download datasets (mnist, cifar10, …) or pretrained weights (resnet18, resnet50)."""
    from tui_latent.datasets.fetch import fetch as fetch_one
    from tui_latent.sources.errors import DataError

    for name in names:
        try:
            where = fetch_one(name, lambda line: click.echo(plain_text(line), err=True))
        except DataError as error:
            fail(error, FAILED)
        click.echo(f"{name} is in {where}")


@main.command()
@runs_option
@json_option
def doctor(runs: str | None, as_json: bool) -> None:
    """Show what this machine offers: devices, terminal, images, data folders, versions."""
    from tui_latent.cli.doctor import examine
    from tui_latent.runs.run_list import runs_folder

    findings = examine(runs_folder(runs))
    if as_json:
        click.echo(json.dumps(findings))
        return
    for topic, facts in findings.items():
        click.echo(topic)
        for name, value in facts.items():
            click.echo(f"  {name:16} {value}")


def _find(run: str, runs: str | None) -> Path:
    from tui_latent.runs.run_list import find_run, runs_folder
    from tui_latent.runs.schema import RunError

    try:
        return find_run(runs_folder(runs), run)
    except RunError as error:
        fail(error)


def _lengthen(path: Path, epochs: int | None, settings: tuple[str, ...]) -> None:
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.extend import change_length, settings_for_epochs

    try:
        changes = dict(parse_override(text) for text in settings)
        if epochs is not None:
            changes |= settings_for_epochs(path, epochs)
        click.echo(plain_text(f"{path.name}: {change_length(path, changes)}"), err=True)
    except PresetError as error:
        fail(error)


def _tell_idle(preset_name: str, *presets: Preset) -> None:
    """Warn about settings of a preset's file that have no effect in any of the presets.

    They were not given on this command line, so they are no error.
    """
    from tui_latent.config.presets import idle_in_file

    first, *others = (idle_in_file(preset_name, preset) for preset in presets)
    for sentence in [s for s in first if all(s in other for other in others)]:
        click.echo(plain_text(f"tui-latent: {preset_name}: {sentence}"), err=True)


def _find_readable(run: str, runs: str | None) -> Path | None:
    """Return a run's folder; None, after a message, if this user may not read it."""
    from tui_latent.runs.manifest import read_manifest
    from tui_latent.runs.run_list import find_run, runs_folder
    from tui_latent.runs.schema import RunError, UnreadableError

    try:
        path = find_run(runs_folder(runs), run)
        read_manifest(path)
    except UnreadableError as error:
        click.echo(error, err=True)
        return None
    except RunError as error:
        fail(error)
    return path


def _train(path: Path, as_json: bool, background: bool) -> None:
    from tui_latent.launch.background import start_in_background
    from tui_latent.launch.progress import train_with_progress
    from tui_latent.runs.schema import RunError

    try:
        if background:
            _tell_started(path, start_in_background(path), as_json)
            return
        result = train_with_progress(path, as_json)
    except RunError as error:
        fail(error, FAILED)
    if as_json:
        click.echo(json.dumps(result))
    if result["state"] == "failed":
        fail(f"{path.name}: {result['error']}", USAGE if result["step"] == 0 else FAILED)
    if result["state"] == "stopped":
        click.echo(f"stopped; to continue: tui-latent resume {path.name}", err=True)
        sys.exit(STOPPED)


def _tell_started(path: Path, pid: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"run": path.name, "path": str(path), "pid": pid}))
        return
    click.echo(
        f"{path.name} is training in the background (PID {pid})\n"
        f"  tui-latent attach {path}        show it\n"
        f"  tui-latent control {path} stop  stop and save it"
    )


def _no_screen() -> str:
    """Return why the dashboard cannot be drawn here; empty if it can."""
    # Textual draws on stderr and reads keys from stdin.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "the dashboard needs a terminal"
    if (kind := os.environ.get("TERM", "")) in ("", "dumb", "unknown"):
        return f"the dashboard needs a terminal with a cursor, but TERM is '{kind}'"
    if "utf" not in sys.stderr.encoding.lower():
        return (
            "the dashboard needs UTF-8, but this locale uses "
            f"{sys.stderr.encoding}: export LC_ALL=C.UTF-8"
        )
    return ""


def _open_dashboard(runs: str | None, path: Path | None) -> None:
    from tui_latent.runs.run_list import runs_folder

    if problem := _no_screen():
        fail(
            f"{problem}; without the dashboard, use\n"
            "  tui-latent presets        list the presets\n"
            "  tui-latent train PRESET   train one and print its progress\n"
            "  tui-latent runs           list the runs"
        )
    from tui_latent.tui.charts.terminal_images import asking_for_images

    with asking_for_images():  # the terminal answers while Textual is being imported
        from tui_latent.tui.app import LatentApp

        app = LatentApp(runs_folder(runs), open_path=path)
    sys.exit(app.run() or 0)
