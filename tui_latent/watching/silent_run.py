"""What `watch` returns where nothing is recorded: on ranks above 0 and in data loader workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from multiprocessing import process
from pathlib import Path
from typing import Any

from tui_latent.watching.asked import Asked


class SilentRun:
    """Has the methods of `WatchedRun`, which do nothing here."""

    path: Path | None = None
    """no folder is written here"""
    asked = Asked()

    def __enter__(self) -> SilentRun:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def log(self, step: int, /, *, epoch: float | None = None, **values: Any) -> None:
        """Do nothing."""

    def latents(self, step: int, /, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def wait_while_paused(self) -> None:
        """Return at once: rank 0 waits, and other ranks wait for it in their next collective."""

    def checkpoint_saved(self, step: int, /) -> None:
        """Do nothing."""

    def close(self, state: str = "finished", error: str | None = None) -> None:
        """Do nothing."""


def is_silent() -> bool:
    """Return whether this process leaves the recording to another one."""
    return _rank() > 0 or _is_worker()


def _rank() -> int:
    """Return the rank of this process; 0 if training is not distributed."""
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    return max(_number(os.environ, name) for name in _rank_names(os.environ))


def _rank_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    # torchrun sets RANK; Lightning's own launcher sets the other two for the processes it starts
    return ("RANK",) if "RANK" in environment else ("LOCAL_RANK", "NODE_RANK")


def _number(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "")
    return int(value) if value.isdecimal() else 0


def _is_worker() -> bool:
    """Return whether this is a data loader worker, or a spawned process that only imports."""
    data = sys.modules.get("torch.utils.data")
    if data is not None and data.get_worker_info() is not None:
        return True
    return bool(getattr(process.current_process(), "_inheriting", False))
