"""The process that trains a run in the background: `python -m` starts it, once or several times."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

from tui_latent.launch.processes import follow_others
from tui_latent.runs.control import read_request, request_of
from tui_latent.runs.schema import RunError
from tui_latent.runs.status import readable_status
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.launcher import place, restarts
from tui_latent.runtime.left_behind import ending_beside_threads
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores


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
