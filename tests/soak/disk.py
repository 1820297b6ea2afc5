"""A training on a disk that is sometimes full."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.record import Row
from tests.soak.kill import differences, in_process, new_run
from tui_latent.launch.start import train_run
from tui_latent.runs.status import read_status

_SIZE = 24 << 20
_SECONDS = 120
"""seconds after which a waiting run counts as lost"""


def measure(tries: int) -> Row:
    """Fill a small tmpfs while a run trains on it, see it wait, make room, compare the result."""
    if os.geteuid() != 0:
        return Row("a full disk", "–", "not run: only root can mount a tmpfs", None, {})
    generator = random.Random(0)
    problems: list[str] = []
    waited = 0
    with _small_disk() as disk, tempfile.TemporaryDirectory() as elsewhere:
        whole = new_run(Path(elsewhere), "whole")
        started = time.monotonic()
        in_process(partial(train_run, whole))
        length = time.monotonic() - started
        for number in range(tries):
            run = new_run(disk, f"run-{number}")
            found = _fill_while_it_trains(run, generator.uniform(0.2, 0.6) * length)
            waited += not found
            problems += found or differences(whole, run)
            shutil.rmtree(run)
    return Row(
        what=f"a disk that fills to the last byte during {tries} training runs and later has room",
        goal="each waits, names path and bytes, then ends as on a disk with room",
        measured=f"{waited} waited, {len(problems)} problems",
        reached=not problems,
        numbers={"tries": tries, "problems": problems},
    )


@contextmanager
def _small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", folder]
        subprocess.run(mount, check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def _fill_while_it_trains(run: Path, seconds: float) -> list[str]:
    """Fill the disk after `seconds`; return what the run does wrong."""
    pid = os.fork()
    if pid == 0:
        try:
            train_run(run)
        finally:
            os._exit(0)
    time.sleep(seconds)
    filler = run.parent / "filler"
    deadline = time.monotonic() + _SECONDS
    error = None
    while error is None and os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
        _fill(filler)
        status = read_status(run)
        error = status.error if status.state == "paused" else None
        time.sleep(0.02)
    problems = []
    if error is None:
        problems.append(f"{run.name} never waited: {read_status(run).state}")
    elif str(run) not in error or "needed" not in error:
        problems.append(f"{run.name} does not say what it needs: {error}")
    if list(run.rglob("*.tmp")):
        problems.append(f"{run.name} has parts of files: {list(run.rglob('*.tmp'))}")
    filler.unlink(missing_ok=True)
    if error is not None:
        os.waitpid(pid, 0)
    return problems


def _fill(file: Path) -> None:
    """Use up all free space."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12):
            try:
                while os.write(descriptor, bytes(size)) == size:
                    pass
            except OSError:
                continue
    finally:
        os.close(descriptor)
