"""What a fork takes over from its run: records, events and maps up to a checkpoint."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui_latent.runs.events import FILE as EVENTS_FILE
from tui_latent.runs.events import RunEvent, event_line, read_events
from tui_latent.runs.maps import map_step
from tui_latent.runs.metrics import MetricsReader

_METRICS: Final = "metrics.jsonl"


def copy_history(run: Path, draft: Path, step: int) -> None:
    """Copy records, events and maps of the run at `run` up to a step into the folder `draft`.

    Events keep their sentences but no values, because the new run's preset contains the changes.
    OSError when something cannot be read or written.
    """
    with (draft / _METRICS).open("wb") as file:
        reader = MetricsReader(run / _METRICS)
        reader.refresh()
        for line in reader.standing_lines(step):
            file.write(line + b"\n")
    kept = [
        replace(event, setting=None, old=None, new=None, serial=None)
        for event in read_events(run)
        if event.step <= step and event.kind != "resume"
    ]
    write_events(draft, kept)
    (draft / "latents").mkdir()
    with suppress(FileNotFoundError):  # there was no evaluation yet
        for map_file in (run / "latents").iterdir():
            at = map_step(map_file.name)
            if at is not None and at <= step:
                share_file(map_file, draft / "latents" / map_file.name)


def write_events(folder: Path, events: list[RunEvent]) -> None:
    """Append events to those of a run that is not being trained; OSError."""
    with (folder / EVENTS_FILE).open("ab") as file:
        file.writelines(event_line(event) + b"\n" for event in events)
        file.flush()
        os.fsync(file.fileno())


def share_file(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it if the file system has no hard links; OSError.

    Maps and checkpoints are replaced, never written into, so neither run sees the other's changes.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
