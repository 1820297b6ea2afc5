"""What run a report is of: who trained what, on what, for how long, and how to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_latent.runs.schema import RunSnapshot


@dataclass(frozen=True)
class About:
    """One run in words and numbers; empty where the run does not say."""

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
    """ISO time, with its zone where the run says it"""
    command: str
    """what trains such a run again"""
    python: str
    versions: dict[str, str]


def about_run(snapshot: RunSnapshot) -> About:
    """Collect what a run's folder says of it."""
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
        versions={name: str(text) for name, text in _table(provenance, "versions").items()},
    )


def _command(provenance: Mapping[str, Any]) -> str:
    """Return what trains such a run again, and lengthens it where it was lengthened."""
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
    """Return the source, or the name of the folder or file that it is."""
    return Path(_text(data, "path")).name or _text(data, "source")


def _device(device: str) -> str:
    """Return `cuda:0 (NVIDIA H200)` of `cuda:0 NVIDIA H200`."""
    name, _, words = device.partition(" ")
    return f"{name} ({words})" if words else name


def _moment(created: object) -> str:
    """Return the ISO time of what a run calls its beginning: that, or Unix time."""
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
