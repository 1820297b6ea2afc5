"""Train a run in a process of its own, which outlives the terminal and its parent."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tui_latent.launch.foreign import refuse_foreign
from tui_latent.launch.processes import devices_of, follow_others, launched_variables, launcher
from tui_latent.runs.control import read_request, request_of
from tui_latent.runs.run_list import refuse_trained
from tui_latent.runs.schema import Request, RunError
from tui_latent.runs.status import note_launched, readable_status
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.launcher import place, restarts
from tui_latent.runtime.left_behind import ending_beside_threads
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores


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
                [*words, "-m", "tui_latent.launch.background", str(path), asked, *plugins],
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


def main() -> None:
    """Train the run at the first argument; the second is the request before it was started.

    All others are plugins to load first. SIGTERM and SIGINT stop and save it. Of several
    processes, the first does this and the others train with it.
    """
    from tui_latent.launch.progress import train_detached
    from tui_latent.plugins.loading import load_file
    from tui_latent.plugins.registry import PluginError

    keep_freed_memory()
    limit_spinning()
    number_by_bus()
    use_allowed_cores()
    path, asked_before, *plugins = sys.argv[1:]
    try:
        for file in plugins:
            load_file(file)
        if place().rank > 0:
            follow_others({})
            return
        # Before a restart, the launcher stopped what was left of the processes.
        asked = read_request(Path(path)) if restarts() else request_of(json.loads(asked_before))
        train_detached(Path(path), asked)
    except (PluginError, RunError) as error:
        if place().rank == 0:
            _fail_unbegun(Path(path), str(error))
        sys.exit(f"tui-latent: {error}")


def _fail_unbegun(path: Path, why: str) -> None:
    """Say in the status why the run did not start, which would only look interrupted."""
    from tui_latent.launch.start import fail_run

    with suppress(RunError, OSError):  # another process is training it
        if readable_status(path).state == "starting":
            fail_run(path, why)


if __name__ == "__main__":
    with ending_beside_threads():
        main()
