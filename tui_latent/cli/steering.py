"""The commands that send a request to a run's trainer; heavy imports stay inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui_latent.cli.options import (
    FAILED,
    fail,
    find_folder,
    find_run_or_sweep,
    plugin_option,
    runs_option,
)
from tui_latent.runs.command_word import command_word
from tui_latent.runtime.sanitize import plain_text


@click.command()
@click.argument("run")
@click.argument("what", type=click.Choice(["pause", "resume", "stop", "checkpoint", "lr"]))
@click.argument("factor", type=float, required=False)
@runs_option
def control(run: str, what: str, factor: float | None, runs: str | None) -> None:
    """Pause, resume or stop RUN, save a checkpoint, or scale its learning rate.

    A sweep can only be stopped; its runs are saved.

    `lr 0.5` halves the scheduled learning rate from now on, and `lr 1` restores it. If no process
    is training the run, the factor applies once it is resumed.
    """
    from tui_latent.launch.foreign import refuse_unheard
    from tui_latent.runs.control import request
    from tui_latent.runs.run_list import run_status
    from tui_latent.runs.schema import LIVE_STATES, RunError
    from tui_latent.runs.sweep_folder import is_sweep

    if (what == "lr") != (factor is not None):
        fail("lr needs a factor, and only lr takes one: tui-latent control RUN lr 0.5")
    path = find_run_or_sweep(run, runs)
    if is_sweep(path):
        _stop_sweep(path, what)
        return
    asked: dict[str, dict[str, Any]] = {
        "pause": {"state": "pause"},
        "resume": {"state": "run"},
        "stop": {"state": "stop"},
        "checkpoint": {"checkpoint": True},
        "lr": {"lr_factor": factor},
    }
    try:
        status = run_status(path)
        refuse_unheard(path, what)
        if what != "lr" and status.state not in LIVE_STATES:
            hint = (
                f"; to resume it: tui-latent resume {command_word(path)}"
                if what == "resume"
                else ""
            )
            fail(f"{path.name} is {status.state_word}: no process is training it{hint}", FAILED)
        request(path, **asked[what])
    except ValueError as error:
        fail(error)
    except RunError as error:
        fail(error, FAILED)
    words = f"learning rate × {factor:g}" if what == "lr" else what
    click.echo(plain_text(f"{path.name}: {words} requested"))


def _stop_sweep(path: Path, what: str) -> None:
    """Ask a sweep to stop; exit if it cannot be asked, or if anything else is asked of it."""
    from tui_latent.runs.control import request
    from tui_latent.runs.schema import LIVE_STATES, RunError
    from tui_latent.runs.status import StatusError, certain_status

    if what != "stop":
        fail(f"{path.name} is a sweep: it can only be stopped; to {what} one run, name that run")
    try:
        state = certain_status(path).state
        if state not in LIVE_STATES:
            fail(f"{path.name} is {state}: no process is working on it", FAILED)
        request(path, state="stop")
    except (StatusError, RunError) as error:
        fail(error, FAILED)
    click.echo(plain_text(f"{path.name}: stop requested; the runs in training are saved"))


@click.command()
@click.argument("run")
@click.argument("settings", metavar="KEY=VALUE…", nargs=-1, required=True)
@runs_option
@plugin_option
def tune(run: str, settings: tuple[str, ...], runs: str | None) -> None:
    """Change the learning rate, loss weights or augmentations of RUN while it is training.

    For example: tui-latent tune latest train.lr=0.001 augment.noise=0.1. The change applies
    from the next step on, is recorded as an event, and is repeated after a resume. If no process
    is training the run, it applies once the run is resumed.
    """
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import parse_override
    from tui_latent.launch.tune import tune as ask
    from tui_latent.runs.schema import RunError

    path = find_folder(run, runs)
    try:
        sentence = ask(path, dict(parse_override(text) for text in settings))
    except PresetError as error:
        fail(error)
    except RunError as error:
        fail(error, FAILED)
    click.echo(plain_text(f"{path.name}: {sentence}"))
