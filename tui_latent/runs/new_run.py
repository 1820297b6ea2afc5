"""The folder of a new run: made out of sight, then put in its place under a name of its own."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file, sync_folder
from tui_latent.runs.control import write_request
from tui_latent.runs.manifest import PRESET_FILE, preset_text
from tui_latent.runs.process import HOST
from tui_latent.runs.run_list import LATEST
from tui_latent.runs.schema import FORMAT, Request, RunError, Status
from tui_latent.runs.staging import staging_folder
from tui_latent.runs.status import write_status

_TAKEN: Final = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def make_run_folder(
    runs: Path,
    preset_name: str,
    preset: Mapping[str, Any],
    provenance: Mapping[str, Any],
    name: str | None,
    fill: Callable[[Path], None] = lambda _: None,
) -> Path:
    """Make the folder of a new run in `runs`, named `name` or by the time and its preset.

    `fill` adds files to it before it appears under its name. RunError when the name is not
    allowed or taken, or the folder cannot be made.
    """
    now = time.time()
    about = {"preset": preset_name, "created": now} | dict(provenance) | {"format": FORMAT}
    text = preset_text({**preset, "provenance": about})
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if name is not None:
            check_name(runs, name)
        with staging_folder(runs) as staging:
            draft = staging / "run"
            draft.mkdir()
            write_status(draft, Status(host=HOST, heartbeat=now))
            write_request(draft, Request())  # a full disk later still takes it in its place
            replace_file(draft / PRESET_FILE, text.encode(), durable=True)
            fill(draft)
            path = _put_in_place(draft, runs, preset_name, name)
    except OSError as error:
        raise RunError(f"{runs}: cannot create a run there: {error.strerror}") from error
    sync_folder(runs)
    return path


def check_name(runs: Path, name: str) -> None:
    """Raise RunError where a new run cannot be called `name`: not allowed, or taken."""
    check_spelling(name)
    if os.path.lexists(runs / name):
        raise _taken(runs / name)


def check_spelling(name: str) -> None:
    """Raise RunError for what no run can be called."""
    if not _NAME.fullmatch(name) or name == LATEST:
        raise RunError(
            f"'{name}' cannot name a run: use up to 100 letters, digits, '.', '_' and '-', "
            f"beginning with a letter or digit, and not '{LATEST}'"
        )


def _put_in_place(draft: Path, runs: Path, preset_name: str, name: str | None) -> Path:
    """Give a whole folder its name, which no other run has; a rename never replaces a run."""
    if name is not None:
        try:
            return draft.rename(runs / name)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            raise _taken(runs / name) from error
    preset = re.sub(r"[^A-Za-z0-9._-]+", "-", preset_name).strip("-")[:80] or "preset"
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{preset}"
    number = 1
    while True:
        path = runs / (stem if number == 1 else f"{stem}-{number}")
        number += 1
        if os.path.lexists(path):
            continue
        try:
            return draft.rename(path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise


def _taken(path: Path) -> RunError:
    return RunError(f"{path}: already exists: choose another name, or delete that run")
