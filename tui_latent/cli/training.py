"""The commands that train, resume and fork runs; heavy imports stay inside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_latent.cli.options import (
    FAILED,
    background_option,
    fail,
    find_folder,
    json_option,
    plugin_option,
    runs_option,
)
from tui_latent.cli.train_path import train_path
from tui_latent.preferences.runs_folders import folder_of_runs
from tui_latent.runtime.sanitize import plain_text

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset


@click.command()
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
@click.option(
    "--devices",
    type=click.IntRange(1),
    help="Number of processes that train together, each on a GPU of its own.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Seed of all random numbers (default: the preset's)."
)
@background_option
@plugin_option
@json_option
def train(
    preset_name: str,
    settings: tuple[str, ...],
    runs: str | None,
    name: str | None,
    device: str | None,
    devices: int | None,
    seed: int | None,
    background: bool,
    as_json: bool,
) -> None:
    """Train PRESET (a name, or the path of a .toml file) without the dashboard."""
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import load_preset, parse_override
    from tui_latent.launch.start import create_run, run_of_launch
    from tui_latent.runs.schema import RunError

    try:
        overrides = dict(parse_override(text) for text in settings)
        overrides |= {"train.device": device} if device is not None else {}
        overrides |= {"train.devices": devices} if devices is not None else {}
        overrides |= {"train.seed": seed} if seed is not None else {}
        folder = folder_of_runs(runs)
        _follow_others(lambda: _all_settings(load_preset(preset_name, overrides), folder))
        preset = load_preset(preset_name, overrides)
        warn_idle(preset_name, preset)
        path = run_of_launch(folder) or create_run(preset_name, preset, folder, name)
    except (PresetError, RunError) as error:
        fail(error)
    train_path(path, as_json, background)


@click.command()
@click.argument("run")
@click.option(
    "--changed-images",
    is_flag=True,
    help="Resume even if the images have changed, and continue with the new ones.",
)
@click.option("--epochs", type=click.IntRange(1), help="Total number of epochs to train for.")
@click.option("--devices", type=click.IntRange(1), help="Number of processes to train with.")
@click.option(
    "--slower",
    is_flag=True,
    help="Retry a failed run from its last good checkpoint, at half the learning rate.",
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change epochs, train.patience or train.devices.",
)
@runs_option
@background_option
@plugin_option
@json_option
def resume(
    run: str,
    changed_images: bool,
    epochs: int | None,
    devices: int | None,
    slower: bool,
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
    if devices is not None:
        settings = (*settings, f"train.devices={devices}")
    _follow_others(lambda: _changed_settings(settings, epochs))
    path = find_folder(run, runs)
    _refuse_foreign(path, "be resumed")
    _require_plugins(path)
    if epochs is not None or settings:
        _lengthen(path, epochs, settings)
    if slower:
        _retry(path)
    if changed_images:
        from tui_latent.trained_on import accept_changed_images

        accept_changed_images(path)
    train_path(path, as_json, background)


@click.command()
@click.argument("run")
@click.option("--step", type=click.IntRange(1), help="Step of the checkpoint (default: newest).")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a setting: train.lr=1e-3.",
)
@runs_option
@click.option("--name", help="Name of the new run (default: the time and the preset's name).")
@background_option
@plugin_option
@json_option
def fork(
    run: str,
    step: int | None,
    settings: tuple[str, ...],
    runs: str | None,
    name: str | None,
    background: bool,
    as_json: bool,
) -> None:
    """Start a new run from a checkpoint of RUN, with other settings.

    The new run begins with RUN's records up to that checkpoint. Images, networks, batch size and
    optimiser are those of the checkpoint.
    """
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.fork import fork_run
    from tui_latent.runs.schema import RunError

    path = find_folder(run, runs)
    try:
        overrides = dict(parse_override(text) for text in settings)
        forked = fork_run(path, folder_of_runs(runs), step, overrides, name)
    except (PresetError, RunError) as error:
        fail(error)
    train_path(forked, as_json, background)


def _follow_others(asked: Callable[[], Mapping[str, object]]) -> None:
    """In a process that another one leads, train with it and exit.

    `asked` returns the settings that this command asks for, by their keys.
    """
    from tui_latent.runtime.launcher import place

    if place().rank == 0:
        return
    from tui_latent.config.preset_files import PresetError
    from tui_latent.launch.processes import follow_others

    try:
        settings, problem = asked(), ""
    except PresetError as error:
        settings, problem = {}, str(error)
    follow_others(settings, problem)
    sys.exit()


def _all_settings(preset: Preset, runs: Path) -> Mapping[str, object]:
    from tui_latent.launch.start import with_absolute_paths
    from tui_latent.training.rank_checks import settings_of

    return settings_of(with_absolute_paths(preset, runs))


def _changed_settings(settings: tuple[str, ...], epochs: int | None) -> Mapping[str, object]:
    from tui_latent.config.presets import parse_override
    from tui_latent.training.rank_checks import EPOCHS

    changed = dict(parse_override(text) for text in settings)
    return changed | ({} if epochs is None else {EPOCHS: epochs})


def _require_plugins(path: Path) -> None:
    """Exit, before anything of the run changes, if a plugin that it needs is not loaded."""
    from tui_latent.config.plugin_needs import require_plugins
    from tui_latent.runs.schema import RunError

    try:
        require_plugins(path)
    except RunError as error:
        fail(error)


def _refuse_foreign(path: Path, what: str) -> None:
    from tui_latent.launch.foreign import refuse_foreign
    from tui_latent.runs.schema import RunError

    try:
        refuse_foreign(path, what)
    except RunError as error:
        fail(error, FAILED)


def _retry(path: Path) -> None:
    from tui_latent.launch.retry import prepare_retry
    from tui_latent.runs.schema import RunError

    try:
        step = prepare_retry(path)
    except RunError as error:
        fail(error, FAILED)
    text = f"{path.name}: continues from step {step:,} at half the learning rate"
    click.echo(plain_text(text), err=True)


def _lengthen(path: Path, epochs: int | None, settings: tuple[str, ...]) -> None:
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.extend import change_length, settings_for_epochs
    from tui_latent.runs.schema import RunError

    try:
        changes = dict(parse_override(text) for text in settings)
        if epochs is not None:
            changes |= settings_for_epochs(path, epochs)
        click.echo(plain_text(f"{path.name}: {change_length(path, changes)}"), err=True)
    except PresetError as error:
        fail(error)
    except RunError as error:
        fail(error, FAILED)


def warn_idle(preset_name: str, *presets: Preset) -> None:
    """Warn about settings of a preset's file that have no effect in any of the presets.

    They were not given on this command line, so they are not errors.
    """
    from tui_latent.config.presets import idle_in_file

    first, *others = (idle_in_file(preset_name, preset) for preset in presets)
    for sentence in [s for s in first if all(s in other for other in others)]:
        click.echo(plain_text(f"tui-latent: {preset_name}: {sentence}"), err=True)
