"""Checkpoints: everything a run needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

KEPT = 2
"""newest checkpoints kept beside the best one"""


@dataclass(frozen=True)
class Saved:
    """A checkpoint on disk."""

    path: Path
    step: int
    bytes: int


def save_checkpoint(folder: Path, state: dict[str, Any], best: bool) -> Saved:
    """Write `state` (tensors and plain values, with `step`) durably, then drop older ones.

    The new file is complete on disk before its name appears and before `last.json` points at
    it, so that a kill at any moment leaves a whole checkpoint to resume from.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"step-{state['step']:09d}.pt"
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    index = _read_index(folder)
    index["last"] = path.name
    if best:
        index["best"] = path.name
    _write_index(folder, index)
    _drop_old(folder, index)
    return Saved(path, state["step"], path.stat().st_size)


def load_checkpoint(folder: Path, device: torch.device | str) -> dict[str, Any] | None:
    """Read the newest whole checkpoint onto `device`; None when there is none."""
    last = _read_index(folder).get("last", "")
    names = [last, *(path.name for path in sorted(folder.glob("step-*.pt"), reverse=True))]
    for name in dict.fromkeys(filter(None, names)):
        try:
            state: dict[str, Any] = torch.load(
                folder / name, map_location=device, weights_only=True
            )
        except (OSError, RuntimeError, EOFError):  # torn by a full disk: the one before it is whole
            continue
        return state
    return None


def _read_index(folder: Path) -> dict[str, str]:
    try:
        index = json.loads((folder / "last.json").read_text())
    except (OSError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _write_index(folder: Path, index: dict[str, str]) -> None:
    temporary = folder / "last.json.tmp"
    with temporary.open("w") as file:
        json.dump(index, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / "last.json")


def _drop_old(folder: Path, index: dict[str, str]) -> None:
    newest = sorted(folder.glob("step-*.pt"))[-KEPT:]
    for path in folder.glob("step-*.pt"):
        if path not in newest and path.name != index.get("best"):
            path.unlink()
