"""Rounds of the Trainer's own steps, which the training benchmarks set beside other loops."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.rounds import finish
from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.launch.start import create_run
from tui_latent.runs.writer import RunWriter
from tui_latent.training.trainer import Trainer

WARM_UP = 4
"""steps; after them a loader's queues are as full as they stay"""


class Ours:
    """The Trainer's steps, with the record that it writes every `log_every` of them."""

    def __init__(self, settings: Preset, folder: Path, steps: int) -> None:
        path = create_run("benchmark", settings, folder)
        self.trainer = Trainer(path, settings, RunWriter.reopen(path))
        self._steps, self._batch = steps, settings.train.batch_size
        self._log_every = settings.train.log_every

    @property
    def dataset(self) -> Dataset:
        """The images both sides train on."""
        return self.trainer.dataset

    @property
    def choices(self) -> dict[str, object]:
        """What the Trainer chose on this machine: the networks' dtype, and how steps are run."""
        precision = str(self.trainer.precision).removeprefix("torch.")
        return {"our_precision": precision, "our_steps": self.trainer.accelerated.way.name}

    def __call__(self) -> float:
        """Return images per second, two views each."""
        trainer = self.trainer
        while trainer.accelerated.trying:
            trainer.step()
        self._run(WARM_UP)
        start = time.perf_counter()
        self._run(self._steps)
        return self._steps * self._batch / (time.perf_counter() - start)

    def _run(self, steps: int) -> None:
        """Do steps and read their terms; at its end none is in flight."""
        trainer = self.trainer
        for _ in range(steps):
            trainer.window.add(trainer.step())
            if len(trainer.window) >= self._log_every:
                trainer.window.means(trainer.done)
        if len(trainer.window):
            trainer.window.means(trainer.done)
        finish(trainer.device)
