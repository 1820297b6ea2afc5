"""Train a run in a process of its own, which outlives the terminal and its parent."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from tui_latent.launch.foreign import refuse_foreign
from tui_latent.runs.control import read_request, request_of
from tui_latent.runs.run_list import refuse_trained
from tui_latent.runs.schema import RunError
from tui_latent.runtime.gpu_order import number_by_bus
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning, use_allowed_cores


def start_in_background(path: Path) -> int:
    """Start training the run at `path`, or resuming it; return the new process's id.

    Errors as in `background_process`.
    """
    process = background_process(path)
    # A child that is not waited for would seem alive after its end.
    threading.Thread(target=process.wait, name="background-run", daemon=True).start()
    return process.pid


def background_process(path: Path) -> subprocess.Popen[bytes]:
    """Start training the run at `path`, or resuming it, in a new process.

    What the process prints goes to the run's `train.log`. RunBusyError when another trains the
    run, RunError when no process can be started.
    """
    refuse_foreign(path, "be trained or resumed")
    refuse_trained(path, "try again")
    asked = json.dumps(asdict(read_request(path)))
    try:
        with (path / "train.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tui_latent.launch.background", str(path), asked],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise RunError(
            f"{path}: cannot start a background process: {error.strerror or error}"
        ) from error


def main() -> None:
    """Train the run at the first argument; the second is the request before it was started.

    SIGTERM and SIGINT stop and save it.
    """
    from tui_latent.launch.progress import train_detached

    keep_freed_memory()
    limit_spinning()
    number_by_bus()
    use_allowed_cores()
    try:
        path, asked_before = sys.argv[1:]
        train_detached(Path(path), request_of(json.loads(asked_before)))
    except RunError as error:
        sys.exit(f"tui-latent: {error}")


if __name__ == "__main__":
    main()
