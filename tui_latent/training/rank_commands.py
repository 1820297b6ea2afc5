"""What rank 0 tells the other processes of its run to do."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from enum import IntEnum
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from tui_latent.training.rank_groups import control_group

_LAST_WAIT = timedelta(seconds=10)
"""for the end to reach ranks that may have ended before"""


class Command(IntEnum):
    """What to do next."""

    END = 0
    STEPS = 1
    """train some steps"""
    TERMS = 2
    """average the terms of the steps since the last time"""
    WAITS = 3
    """say how long you have waited for the others"""
    EVALUATE = 4
    """do your share of an evaluation"""
    GO_ON = 5
    """with the next part of the evaluation"""
    PREPARE = 6
    """load the images of a preset"""
    BUILD = 7
    """build the networks"""
    LOAD = 8
    """go to a checkpoint"""
    TUNE = 9
    """use other settings from the next step on"""


_ABOUT = (Command.PREPARE, Command.BUILD, Command.LOAD, Command.TUNE)
"""commands that come with an object"""


class Heard(NamedTuple):
    """A command as the other ranks hear it."""

    command: Command
    lr_factor: float
    steps: int
    about: Any


class OtherCommandError(Exception):
    """Rank 0 has left the evaluation, and says something else."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(heard.command.name)
        self.heard = heard


class Listening:
    """The next command, which may come while this rank is still doing something else."""

    def __init__(self) -> None:
        self._message = _message(Command.END)
        self._work: Any = dist.broadcast(self._message, 0, control_group(), async_op=True)

    def ended(self) -> bool:
        """Return whether rank 0 has said that it is over."""
        return bool(self._work.is_completed()) and self._read().command is Command.END

    def heard(self) -> Heard:
        """Wait for the command and what it is about; to be called once."""
        heard = self._read()
        if heard.command not in _ABOUT:
            return heard
        about: list[Any] = [None]
        dist.broadcast_object_list(about, 0, control_group())
        return heard._replace(about=about[0])

    def _read(self) -> Heard:
        self._work.wait()
        command, lr_factor, steps = self._message.tolist()
        return Heard(Command(int(command)), lr_factor, int(steps), None)


def tell(command: Command, lr_factor: float = 1.0, steps: int = 0, about: Any = None) -> None:
    """Tell the other ranks what to do next, as rank 0."""
    message = _message(command, lr_factor, steps)
    work = dist.broadcast(message, 0, control_group(), async_op=True)
    assert work is not None
    if command is Command.END:
        with suppress(RuntimeError):  # they have ended already
            work.wait(_LAST_WAIT)
        return
    work.wait()
    if command in _ABOUT:
        dist.broadcast_object_list([about], 0, control_group())


def _message(command: Command, lr_factor: float = 1.0, steps: int = 0) -> Tensor:
    return torch.tensor([float(command), lr_factor, float(steps)], dtype=torch.float64)
