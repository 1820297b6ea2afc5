"""The facts about a run that a report shows: what was trained, on what, for how long."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_latent.runs.origin import Origin
from tui_latent.runs.schema import RunSnapshot


@dataclass(frozen=True)
class About:
    """One run in words and numbers; empty if the run folder does not say."""

    run: str
    preset: str
    title: str
    dataset: str
    method: str
    latent_dim: int | None
    state: str
    error: str
    step: int
    total_steps: int
    epoch: float
    seconds: float
    """of training"""
    device: str
    seed: int | None
    created: str
    """ISO time, with its zone if the run has one"""
    command: str
    """the command that repeats the run; for a run from elsewhere, the one that made it"""
    python: str
    versions: dict[str, str]
    origin: Origin = "trained"


def about_run(snapshot: RunSnapshot) -> About:
    """Collect the facts from a run's folder."""
    status, provenance = snapshot.status, snapshot.provenance
    data, method = _table(snapshot.preset, "data"), _table(snapshot.preset, "method")
    return About(
        run=snapshot.name,
        preset=_text(provenance, "preset"),
        title=_text(snapshot.preset, "title"),
        dataset=_dataset(data),
        method=_text(method, "name"),
        latent_dim=_whole(method, "latent_dim"),
        state=status.state,
        error=status.error or "",
        step=status.step,
        total_steps=status.total_steps,
        epoch=status.epoch,
        seconds=status.seconds,
        device=_device(status.device),
        seed=_whole(provenance, "seed"),
        created=_moment(provenance.get("created")),
        command=_command(provenance),
        python=_text(provenance, "python"),
        origin=snapshot.origin,
        versions={name: str(text) for name, text in _table(provenance, "versions").items()},
    )


def _command(provenance: Mapping[str, Any]) -> str:
    """Return the command that repeats the run, and lengthens it where it was lengthened."""
    command, changes = _text(provenance, "command"), provenance.get("changes")
    if not command or not isinstance(changes, list):
        return command
    commands = [command]
    for change in changes:
        if isinstance(change, Mapping):
            after = _table(change, "after").items()
            words = [word for key, value in after for word in ("--set", f"{key}={value}")]
            commands.append(shlex.join(["tui-latent", "resume", "latest", *words]))
    return " && ".join(commands)


def _dataset(data: Mapping[str, Any]) -> str:
    """Return the name of the folder or file, or the source, and a range of values if one is set."""
    name = Path(_text(data, "path")).name or _text(data, "source")
    ends = data.get("range", "dtype")
    if isinstance(ends, list) and len(ends) == 2:
        return f"{name} (values from {ends[0]:g} to {ends[1]:g})"
    return name if ends == "dtype" else f"{name} (values: {ends})"


def _device(device: str) -> str:
    """Return `cuda:0 (NVIDIA H200)` of `cuda:0 NVIDIA H200`."""
    name, _, words = device.partition(" ")
    return f"{name} ({words})" if words else name


def _moment(created: object) -> str:
    """Return the start of a run, an ISO or Unix time, as ISO time."""
    try:
        if isinstance(created, (int, float)):
            return datetime.fromtimestamp(created).astimezone().isoformat(timespec="seconds")
        return datetime.fromisoformat(str(created)).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return "" if value is None else str(value)


def _whole(table: Mapping[str, Any], key: str) -> int | None:
    value = table.get(key)
    return value if isinstance(value, int) else None
