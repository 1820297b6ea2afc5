"""Rounds of our own training steps, for benchmarks that compare them with other loops."""

from __future__ import annotations

import time

from benchmarks.rounds import finish
from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import load_dataset
from tui_latent.training.device import choose_device
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.loss_window import LossWindow

WARM_UP = 4
"""steps to warm up; then a loader's queues are as full as they get"""


def training_loop(settings: Preset) -> TrainingLoop:
    """Return the loop of a preset on its images, on its device."""
    dataset = load_dataset(settings.data, settings.train.seed)
    return TrainingLoop(settings, dataset, choose_device(settings.train.device))


class Ours:
    """Steps of the training loop; terms are read every `log_every` steps, as in a run."""

    def __init__(self, settings: Preset, steps: int) -> None:
        self.loop = training_loop(settings)
        self._window = LossWindow()
        self._steps, self._batch = steps, settings.train.batch_size
        self._log_every = settings.train.log_every

    @property
    def dataset(self) -> Dataset:
        """The images both sides train on."""
        return self.loop.dataset

    @property
    def choices(self) -> dict[str, object]:
        """What the loop chose on this machine: the networks' dtype and the mode of a step."""
        precision = str(self.loop.precision).removeprefix("torch.")
        return {"our_precision": precision, "our_steps": self.loop.accelerated.way.name}

    def __call__(self) -> float:
        """Return images per second, two views each."""
        while self.loop.accelerated.trying:
            self.loop.step()
        self._run(WARM_UP)
        start = time.perf_counter()
        self._run(self._steps)
        return self._steps * self._batch / (time.perf_counter() - start)

    def _run(self, steps: int) -> None:
        """Do steps and read their terms; on return none is still running on the device."""
        loop, window = self.loop, self._window
        for _ in range(steps):
            window.add(loop.step())
            if len(window) >= self._log_every:
                window.means(loop.done)
        if len(window):
            window.means(loop.done)
        finish(loop.device)
