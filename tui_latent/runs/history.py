"""What of a run goes into another that is forked from it: its records up to a checkpoint."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.events import FILE as EVENTS_FILE
from tui_latent.runs.events import RunEvent, event_line, read_events
from tui_latent.runs.maps import map_step
from tui_latent.runs.metrics import MetricsReader

_METRICS: Final = "metrics.jsonl"


def copy_history(run: Path, draft: Path, step: int) -> None:
    """Copy records, events and maps of the run at `run` up to a step into the folder `draft`.

    Events keep their sentences, but set nothing any more: the settings of the new run contain
    them. OSError when something cannot be read or written.
    """
    with (draft / _METRICS).open("wb") as file:
        reader = MetricsReader(run / _METRICS)
        reader.refresh()
        for line in reader.standing_lines(step):
            file.write(line + b"\n")
    told = [
        replace(event, setting=None, old=None, new=None, serial=None)
        for event in read_events(run)
        if event.step <= step and event.kind != "resume"
    ]
    write_events(draft, told)
    (draft / "latents").mkdir()
    with suppress(FileNotFoundError):  # an evaluation may not have come yet
        for map_file in (run / "latents").iterdir():
            at = map_step(map_file.name)
            if at is not None and at <= step:
                _share(map_file, draft / "latents" / map_file.name)


def copy_checkpoint(run: Path, draft: Path, name: str, sha256: str | None) -> None:
    """Copy a checkpoint as the only one, and the one to resume from; OSError."""
    folder = draft / "checkpoints"
    folder.mkdir()
    _share(run / "checkpoints" / name, folder / name)
    table: Mapping[str, object] = {"last": name, "sha256": {name: sha256} if sha256 else {}}
    replace_file(folder / "last.json", json.dumps(table).encode(), durable=True)


def write_events(folder: Path, events: list[RunEvent]) -> None:
    """Add events to those of a run that nobody trains; OSError."""
    with (folder / EVENTS_FILE).open("ab") as file:
        file.writelines(event_line(event) + b"\n" for event in events)
        file.flush()
        os.fsync(file.fileno())


def _share(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system cannot, copy it.

    Maps and checkpoints are replaced, never written into, so neither run sees the other's changes.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
