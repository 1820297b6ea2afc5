"""Train a run in a process of its own, which outlives the terminal and its parent."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tui_latent.launch.foreign import refuse_foreign
from tui_latent.launch.processes import devices_of, launched_variables, launcher
from tui_latent.runs.command_word import command_word
from tui_latent.runs.control import read_request
from tui_latent.runs.run_list import refuse_trained
from tui_latent.runs.schema import Request, RunError, Status
from tui_latent.runs.status import note_launched, readable_status


def start_in_background(path: Path) -> int:
    """Start training the run at `path`, or resuming it; return the new process's id.

    It loads the plugins that the run needs. Errors as in `background_process`, and RunError if
    this process has not loaded one of them.
    """
    from tui_latent.config.plugin_needs import files_needed

    process = background_process(path, files_needed(path))
    # A child that is not waited for would seem alive after its end.
    threading.Thread(target=process.wait, name="background-run", daemon=True).start()
    return process.pid


def background_process(
    path: Path, plugins: Sequence[str], asked_before: Request | None = None
) -> subprocess.Popen[bytes]:
    """Start training the run at `path`, or resuming it, in a new process, or in several.

    It loads the plugins in these files first, which someone must have named. What it prints goes
    to the run's `train.log`. RunBusyError when another process is training the run, RunError when
    no process can be started, or not as many as the run needs.
    """
    refuse_foreign(path, "be trained or resumed")
    refuse_trained(path, "try again")
    asked = json.dumps(asdict(asked_before or read_request(path)))
    if (devices := devices_of(path)) > 1:
        from tui_latent.launch.device_choices import refuse_impossible

        refuse_impossible(path)
    words = launcher(devices)
    try:
        with (path / "train.log").open("ab") as log:
            process = subprocess.Popen(
                [*words, "-m", "tui_latent.launch.detached", str(path), asked, *plugins],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=launched_variables(devices),
            )
    except OSError as error:
        raise RunError(
            f"{path}: cannot start a background process: {error.strerror or error}"
        ) from error
    with suppress(OSError):  # a full disk: the run only looks interrupted until it begins
        note_launched(path, process.pid)
    return process


def train_in_processes(
    path: Path, plugins: Sequence[str], asked_before: Request | None = None
) -> Status:
    """Train the run at `path` in processes of its own, wait for their end, and return its status.

    RunError if they ended before the run did.
    """
    process = background_process(path, plugins, asked_before or read_request(path))
    process.wait()
    status = readable_status(path)
    if status.state not in ("finished", "stopped", "failed"):
        raise RunError(
            f"{path.name}: its processes ended with code {process.returncode} before the run did: "
            f"the end of {path / 'train.log'} has the reason; "
            f"tui-latent resume {command_word(path)} continues from the last checkpoint"
        )
    return status
