"""What a run records while it trains: metrics, latents, status, rates and log lines."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from tui_latent.datasets.image_set import Dataset
from tui_latent.metrics.knn import KS
from tui_latent.metrics.view_retrieval import KS as RETRIEVED
from tui_latent.runs.events import FILE as EVENTS_FILE
from tui_latent.runs.events import Kind, new_event
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.cpu_share import ScreenShare
from tui_latent.training.checkpoint import save_checkpoint, state_bytes
from tui_latent.training.device import memory_in_use
from tui_latent.training.evaluator import Evaluation
from tui_latent.training.graph_step import Terms
from tui_latent.training.latent_writer import LatentWriter
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.loss_window import LossWindow
from tui_latent.training.rank_commands import Command
from tui_latent.training.rank_records import RankRecords
from tui_latent.training.ranks import Ranks
from tui_latent.training.retrying_writes import RetryingWriter
from tui_latent.training.run_control import Stopwatch


class Recorder:
    """Writes records, latents and checkpoints; while the disk accepts no writes, the run waits."""

    def __init__(
        self, writer: RunWriter, dataset: Dataset, stopwatch: Stopwatch, steps_per_epoch: int = 1
    ) -> None:
        self.writer, self.stopwatch = writer, stopwatch
        self.evaluated_step = -1
        """step of the last evaluation"""
        self._steps_per_epoch = steps_per_epoch
        self.disk = RetryingWriter(writer, stopwatch)
        self._latents = LatentWriter(writer, dataset)
        self._missing: dict[str, str] = {}

    def metrics(self, step: int, seconds: float, values: dict[str, float]) -> None:
        """Append a record; `seconds` is the training time at that step."""
        self.disk.write(
            self.writer.path / "metrics.jsonl",
            40 * len(values),
            lambda: self.writer.metrics(step, step / self._steps_per_epoch, seconds, values),
        )

    def event(self, kind: Kind, step: int, text: str, **fields: Any) -> None:
        """Record an event, and its sentence in the log; `fields` are those of `RunEvent`."""
        event = new_event(kind, step, text, **fields)
        self.disk.write(
            self.writer.path / EVENTS_FILE, 4 * len(text), lambda: self.writer.event(event)
        )
        self.writer.log(f"step {step:,}: {text}")

    def evaluation(self, step: int, evaluation: Evaluation) -> None:
        """Write the metrics and latents of an evaluation, and log its main figures."""
        self.metrics(step, self.stopwatch.seconds, evaluation.metrics)
        self.disk.write(
            self.writer.path / "latents",
            state_bytes([evaluation.bank, evaluation.queries]),
            lambda: self._latents.write(step, evaluation),
        )
        self.evaluated_step = step
        self.writer.log(f"step {step:,}: {_figures(evaluation)}")
        if evaluation.missing != self._missing:  # not again at each evaluation
            self._missing = evaluation.missing
            for line in missing_lines(evaluation.missing):
                self.writer.log(f"missing: {line}")

    def checkpoint(self, state: dict[str, Any], best: bool) -> None:
        """Write a checkpoint, once the records before it are safe on disk."""
        path = self.writer.path
        self.disk.write(path / "metrics.jsonl", 0, self.writer.sync)
        folder = path / "checkpoints"
        saved = self.disk.write(
            folder, state_bytes(state), lambda: save_checkpoint(folder, state, best)
        )
        self.writer.status(checkpoint_step=saved.step)
        self.writer.log(f"checkpoint at step {saved.step:,}, {saved.bytes / 1e6:.1f} MB")


def _figures(evaluation: Evaluation) -> str:
    """Return loss, accuracies and view retrieval in one line, with a dash for what is missing."""
    words = []
    for metric, label, form in (
        ("val/loss", "val/loss", ".4g"),
        *((f"val/knn_{k}", f"knn_{k}", ".4f") for k in KS),
        *((f"val/view_retrieval_{k}", f"view_retrieval_{k}", ".4f") for k in RETRIEVED),
    ):
        if metric in evaluation.metrics:
            words.append(f"{label} {evaluation.metrics[metric]:{form}}")
        elif metric in evaluation.missing:
            words.append(f"{label} –")
    return ", ".join(words)


class StepRecorder:
    """Records what steps return: the mean of each term since the last record, and the rate.

    On a GPU a record is read off the device one window later, so that no step waits for it.
    """

    def __init__(self, recorder: Recorder, loop: TrainingLoop) -> None:
        self._recorder, self._loop = recorder, loop
        self._window = LossWindow(late=loop.device.type == "cuda", mean=partial(_mean, loop.ranks))
        self._ranks = RankRecords(recorder.writer.path, loop.ranks, loop.device)
        self._screen = ScreenShare()
        self.restart_rate()

    def add(self, terms: Terms, close: bool) -> None:
        """Take the terms of a step; write a record every `log_every` steps, or now if `close`."""
        self._window.add(terms)
        if close or len(self._window) >= self._loop.preset.train.log_every:
            self._record()
        self.progress()

    @property
    def steps_to_record(self) -> int:
        """The number of steps after which the next record is due, 1 or more."""
        return max(self._loop.preset.train.log_every - len(self._window), 1)

    def flush(self) -> None:
        """Write the records that are not written yet, which waits for the device."""
        self._append(wait=True)

    def progress(self) -> None:
        """Show in the status how far training is."""
        loop = self._loop
        epoch = loop.sampler.steps_per_epoch
        self._recorder.writer.status(
            step=loop.done,
            epoch=loop.done / epoch,
            total_epochs=loop.total_steps // epoch,
            seconds=self._recorder.stopwatch.seconds,
            phase=loop.stage_title() or "training",
        )

    def restart_rate(self) -> None:
        """Measure images per second from now on, as after an evaluation."""
        self._rate_from = (self._loop.done, self._recorder.stopwatch.seconds)

    def state_dict(self) -> dict[str, Any]:
        """Return the window that is not recorded yet, so that a resume cuts no record in two."""
        self.flush()
        return self._window.state(self._loop.done)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the window of a checkpoint."""
        self._window.load_state(state, self._loop.device)

    def _record(self) -> None:
        loop, seconds = self._loop, self._recorder.stopwatch.seconds
        values = {"train/lr": loop.lr}
        steps, elapsed = loop.done - self._rate_from[0], seconds - self._rate_from[1]
        if steps and elapsed > 0:
            rate = steps * loop.sampler.batch_size / elapsed
            values["train/images_per_second"] = rate
            memory = memory_in_use(loop.device)
            self._recorder.writer.status(images_per_second=rate, memory_bytes=memory)
            self._ranks.add(steps * loop.sampler.batch_size, elapsed)
        self._rate_from = (loop.done, seconds)
        if (share := self._screen.read()) is not None:
            values["train/screen_share"] = share
        self._window.close(loop.done, values, seconds)
        self._append(wait=False)

    def _append(self, wait: bool) -> None:
        for closed, means in self._window.read(wait):
            values = {f"train/{name}": value for name, value in means.items()} | closed.beside
            self._recorder.metrics(closed.step, closed.seconds, values)


def _mean(ranks: Ranks, terms: Tensor) -> Tensor:
    """Return the means of some steps' terms over all ranks.

    A method would keep the loop alive after the run, in a circle of references.
    """
    ranks.tell(Command.TERMS)
    return ranks.mean(terms)
