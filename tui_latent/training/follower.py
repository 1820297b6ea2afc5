"""A process that trains a run with others and records nothing: rank 0 says what to do."""

from __future__ import annotations

import signal

import torch
from torch import Tensor

from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.identity import DataIdentity, changes
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import DataError, load_dataset
from tui_latent.training.device import DeviceError, device_of_rank, limit_threads, use_device
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.ranks import Command, Ranks, join, unpacked


def follow(ranks: Ranks) -> None:
    """Train with the other ranks until rank 0 says that it is over.

    A signal to stop is left to rank 0, which saves first. RuntimeError if rank 0 is gone.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    limit_threads()
    join(ranks)
    share = _Share(ranks)
    while share.obey(*ranks.hear()):
        pass


class _Share:
    """This rank's share of the work, built as rank 0 says."""

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks
        self._problem = ""
        self._preset: Preset | None = None
        self._dataset: Dataset | None = None
        self._identity: DataIdentity | None = None
        self._device = torch.device("cpu")
        self._loop: TrainingLoop | None = None

    def obey(self, command: Command, lr_factor: float, about: object) -> bool:
        """Do what rank 0 says; return whether there is more to come."""
        if command in (Command.END, Command.PREPARE) and self._loop is not None:
            self._loop.close()
        if command is Command.END:
            return False
        if command is Command.PREPARE:
            self._prepare(about)
            return True
        if command is Command.BUILD:
            return self._build(about)
        assert self._loop is not None
        if command is Command.STEP:
            self._loop.lr_factor = lr_factor
            self._loop.step()
        elif command is Command.TUNE:
            self._loop.tune(_preset(about))
        else:
            assert isinstance(about, bytes)
            self._loop.load_state_dict(unpacked(about, self._device))
        return True

    def _prepare(self, tables: object) -> None:
        """Load the images; a problem is kept until rank 0 asks."""
        self._loop = None
        self._preset = preset = _preset(tables)

        def found(identity: DataIdentity) -> None:
            self._identity = identity

        try:
            self._device = device_of_rank(preset.train.device, self._ranks.local_rank)
            use_device(self._device)
            seed = preset.train.seed
            self._dataset = load_dataset(preset.data, seed, device=self._device, found=found)
        except (DataError, DeviceError, OSError) as error:
            self._problem = str(error)

    def _build(self, about: object) -> bool:
        assert isinstance(about, tuple) and self._preset is not None
        identity, neighbours = about
        if not self._problem and identity is not None and self._identity is not None:
            change = changes(identity, self._identity)
            self._problem = f"it sees other images than process 0: {change}" if change else ""
        if self._ranks.agree(self._problem):
            return False
        assert self._dataset is not None
        near: Tensor | None = None if neighbours is None else neighbours.to(self._device)
        self._loop = TrainingLoop(
            self._preset, self._dataset, self._device, near, ranks=self._ranks
        )
        return True


def _preset(tables: object) -> Preset:
    assert isinstance(tables, dict)
    return parse_preset(tables, {}, where="the preset of process 0")
