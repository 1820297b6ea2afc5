"""A process that trains a run with others and records nothing: rank 0 says what to do."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.identity import DataIdentity, changes
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import DataError, load_dataset
from tui_latent.plugins.registry import PluginError
from tui_latent.training.device import DeviceError, device_of_rank, limit_threads, use_device
from tui_latent.training.evaluator import Evaluator, held_out_pairing
from tui_latent.training.loading import looking_meanwhile
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.rank_checks import Told, difference, parsed
from tui_latent.training.rank_commands import Command, Heard, Listening, OtherCommandError
from tui_latent.training.rank_groups import leave_groups
from tui_latent.training.rank_records import own_state
from tui_latent.training.ranks import Ranks, join, unpacked
from tui_latent.training.run_control import StopRequested


def follow(ranks: Ranks, asked: Mapping[str, Any], problem: str = "") -> None:
    """Train with the other ranks until rank 0 says that it is over.

    `asked` are the settings that this process's command asks for, and `problem` is why it cannot
    be done; rank 0 tells of both. A signal to stop is left to rank 0, which saves first.
    RuntimeError if rank 0 is gone.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    limit_threads()
    join(ranks)
    share = _Share(ranks, asked, problem)
    heard: Heard | None = ranks.hear()
    while heard is not None and heard.command is not Command.END:
        heard = share.obey(heard) or ranks.hear()
    share.close()
    leave_groups()


class _Share:
    """This rank's share of the work, built as rank 0 says."""

    def __init__(self, ranks: Ranks, asked: Mapping[str, Any], problem: str) -> None:
        self._ranks, self._asked, self._problem = ranks, asked, problem
        self._preset: Preset | None = None
        self._dataset: Dataset | None = None
        self._identity: DataIdentity | None = None
        self._device = torch.device("cpu")
        self._loop: TrainingLoop | None = None
        self._evaluator: Evaluator | None = None
        self._terms: list[Tensor] = []
        """of each step since rank 0 last asked for them"""

    def obey(self, heard: Heard) -> Heard | None:
        """Do what rank 0 says; return the next command if it was heard meanwhile."""
        command, about, loop = heard.command, heard.about, self._loop
        if command is Command.PREPARE:
            return self._prepare(about)
        if command is Command.BUILD:
            self._build(*about)
            return None
        assert loop is not None
        if command is Command.STEPS:
            loop.lr_factor = heard.lr_factor
            for _ in range(heard.steps):
                self._terms.append(torch.stack([each.float() for each in loop.step().values()]))
        elif command is Command.TERMS:
            self._ranks.mean(torch.stack(self._terms))
            self._terms = []
        elif command is Command.WAITS:
            self._ranks.each(own_state(self._device))
        elif command is Command.EVALUATE:
            return self._evaluate(loop)
        elif command is Command.TUNE:
            loop.tune(parse_preset(about, {}, where="the preset of process 0"))
        elif command is Command.LOAD:
            loop.load_state_dict(unpacked(about, self._device))
        return None

    def close(self) -> None:
        """End what reads images."""
        if self._loop is not None:
            self._loop.close()
        self._loop = self._evaluator = None
        self._terms = []

    def _prepare(self, told: Told) -> Heard:
        """Load the images, unless this process cannot train with rank 0; return what follows."""
        self.close()
        problem = self._problem or self._unfit(Told(*told))
        if self._ranks.agree(problem):
            return self._ranks.hear()
        listening = Listening()
        self._problem = self._loaded(listening)
        return listening.heard()

    def _unfit(self, told: Told) -> str:
        """Take up the preset and the device; return what is wrong with this process."""
        try:
            self._preset = preset = parsed(told)
            if different := difference(told, preset, self._asked):
                return different
            self._device = device_of_rank(preset.train.device, self._ranks.local_rank)
            use_device(self._device)
        except (PresetError, PluginError, DeviceError) as error:
            return str(error)
        return ""

    def _loaded(self, listening: Listening) -> str:
        """Load the images, until rank 0 says that it is over; return why they cannot be."""
        preset, self._dataset = self._preset, None
        assert preset is not None

        def found(identity: DataIdentity) -> None:
            self._identity = identity

        def poll() -> None:
            if listening.ended():
                raise StopRequested

        def load() -> Dataset:
            seed = preset.train.seed
            return load_dataset(preset.data, seed, device=self._device, found=found, poll=poll)

        try:
            with suppress(StopRequested):
                self._dataset = looking_meanwhile(load, poll)
        except DataError as error:
            return str(error)
        except OSError as error:
            return f"{error.filename or preset.data.path}: {error.strerror or error}"
        return ""

    def _build(self, identity: DataIdentity | None, neighbours: Any, classes: Any) -> None:
        """Build the networks, unless a rank cannot; then rank 0 says what follows."""
        problem = self._problem
        if not problem and identity is not None and self._identity is not None:
            change = changes(identity, self._identity)
            problem = f"it sees other images than process 0: {change}" if change else ""
        if self._ranks.agree(problem):
            return
        assert self._dataset is not None and self._preset is not None
        dataset = self._dataset if classes is None else self._dataset.with_classes(*classes)
        near: Tensor | None = None if neighbours is None else neighbours.to(self._device)
        with suppress(DataError):  # all ranks have agreed that it cannot be done
            self._loop = loop = TrainingLoop(
                self._preset, dataset, self._device, near, ranks=self._ranks
            )
            held_out = held_out_pairing(loop.method, loop.dataset, self._preset.augment)
            size = self._preset.train.batch_size
            self._evaluator = Evaluator(loop.dataset, held_out, size, ranks=self._ranks)

    def _evaluate(self, loop: TrainingLoop) -> Heard | None:
        assert self._evaluator is not None
        try:
            self._evaluator.evaluate(loop.method, loop.autocast)
        except OtherCommandError as other:
            return other.heard
        return None
