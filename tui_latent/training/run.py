"""One run in training: the loop, what it records, its hooks, and what people ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_latent.config.settings import Preset
from tui_latent.runs.events import FILE as EVENTS_FILE
from tui_latent.runs.events import EventsReader, RunEvent
from tui_latent.runs.image_classes import read_image_classes
from tui_latent.runs.schema import State
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.launcher import restarts
from tui_latent.sources.errors import DataError
from tui_latent.trained_on import IMAGES_FILE
from tui_latent.training.checkpoint import go_back_to, load_checkpoint
from tui_latent.training.evaluator import Evaluator, held_out_pairing
from tui_latent.training.hooks import (
    Checkpoints,
    CollapseWatch,
    EarlyStopping,
    Hook,
    StageWatch,
)
from tui_latent.training.initial_weights import initial_weights, load_initial_weights
from tui_latent.training.live_settings import BackRequested, LiveSettings
from tui_latent.training.loading import load_images, looking_meanwhile, refuse_if_stopped
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.neighbour_views import earlier_neighbours
from tui_latent.training.rank_checks import told
from tui_latent.training.rank_commands import Command
from tui_latent.training.ranks import ALONE, Ranks
from tui_latent.training.recorder import Recorder, StepRecorder
from tui_latent.training.retrying_writes import RetryingWriter
from tui_latent.training.run_control import POLL_EVERY, RunControl, StopRequested, Stopwatch
from tui_latent.training.schedule import stage_at

SETTLED = 30
"""steps after which the running averages of batch normalisation (momentum 0.9) suit an
evaluation: before, the latents of a sound network can look collapsed"""


class TrainingRun:
    """Trains one run and writes its folder; the only writer of weights."""

    def __init__(self, path: Path, preset: Preset, writer: RunWriter, ranks: Ranks = ALONE) -> None:
        """Load the images, build the networks, and go to the last checkpoint if there is one.

        If there are several `ranks`, this is the first; the others do the same meanwhile.
        """
        self.writer, before = writer, writer.status()
        folder = path / "checkpoints"
        start = None if (folder / "last.json").is_file() else self._initial_weights(preset)
        ranks.tell(Command.PREPARE, about=tuple(told(preset)))
        if problem := ranks.agree(""):
            raise DataError(problem)
        device, dataset, images = load_images(preset, writer, ranks)
        beside = dataset.beside(device)
        neighbours = earlier_neighbours(preset, path.parent, beside, images.now)
        near = None if neighbours is None or not ranks.leads else neighbours.cpu()
        classes = read_image_classes(path)
        given = None if classes is None else (classes.names, classes.train, classes.val)
        ranks.tell(Command.BUILD, about=(images.now, near, given))
        if problem := ranks.agree(""):
            raise DataError(problem)
        self.loop = loop = TrainingLoop(preset, dataset, device, neighbours, writer.log, ranks)
        dataset = loop.dataset
        held_out = held_out_pairing(
            loop.method, dataset, preset.augment, lambda: refuse_if_stopped(path)
        )
        saved = RetryingWriter(writer, Stopwatch(0.0)).write(
            folder, 0, lambda: load_checkpoint(folder, device, writer.log)
        )
        if start is not None and not saved:
            load_initial_weights(loop.method, start)
            loop.send_state()
            writer.log(f"the network starts from the weights in {start}")
        stopwatch = Stopwatch(saved["seconds"] if saved else 0.0)
        self.recorder = Recorder(writer, dataset, stopwatch, loop.sampler.steps_per_epoch)
        self.steps = StepRecorder(self.recorder, loop)
        self.early_stopping = EarlyStopping(loop, writer.log)
        self.checkpoints = checkpoints = Checkpoints(
            loop, self.recorder, self.steps, self.early_stopping.best
        )
        if saved:
            checkpoints.restore(saved)
            self.steps.restart_rate()
            writer.status(checkpoint_step=loop.done)
        self.recorder.disk.write(path / IMAGES_FILE, 0, lambda: images.note(loop.done))
        self.control = RunControl(writer, stopwatch, checkpoints.save)
        events = EventsReader(path / EVENTS_FILE)
        standing = self.recorder.disk.write(path / EVENTS_FILE, 0, events.refresh)
        self._record_resume(standing, bool(saved), before.step)
        self.live = LiveSettings(loop, self.recorder, events, self.early_stopping.best)
        self.live.restore(self.control.request)
        on_chunk = self.control.poll_within_evaluation
        self.evaluator = Evaluator(dataset, held_out, preset.train.batch_size, on_chunk, ranks)
        collapse = CollapseWatch(loop, self.recorder, self.control.pause)
        stages = StageWatch(loop, self.recorder)
        self._seconds_per_step = 0.0
        """lately; 0 before the first step"""
        self.hooks: tuple[Hook, ...] = (self.early_stopping, collapse, stages, checkpoints)

    def train(self) -> State:
        """Train until the last step, a stop, or the end of patience; return how it ended.

        BackRequested when training should start again from an earlier checkpoint: see `go_back`.
        """
        loop = self.loop
        self.steps.progress()
        self.writer.status(state="running", total_steps=loop.total_steps)
        state: State = "finished"
        try:
            if loop.done and self._evaluation_due():
                self._evaluate()  # the one in which the run was stopped
            while loop.done < loop.total_steps and not self.early_stopping.out_of_patience():
                self.control.poll()
                self.live.follow(self.control.request)
                self._step_until_something_is_due()
                if self._evaluation_due():
                    self._evaluate()
                for hook in self.hooks:
                    hook.on_step()
            self._evaluate()
        except StopRequested:
            state = "stopped"
        finally:
            loop.close()
        for hook in self.hooks:
            hook.on_end()
        return state

    def go_back(self, asked: BackRequested) -> None:
        """Make an earlier checkpoint the one to start from next, and record it."""
        back, folder = asked.back, self.writer.path / "checkpoints"
        self.recorder.disk.write(folder, 0, lambda: go_back_to(folder, back.step))
        values = {"setting": back.setting, "old": asked.old, "new": back.value}
        who = {"who": back.who or None, "serial": back.serial}
        self.recorder.event("retry", back.step, asked.text, **values, **who)

    def _initial_weights(self, preset: Preset) -> Path | None:
        """Return the file that the network starts from, which may take a download."""
        writer = self.writer
        return looking_meanwhile(
            lambda: initial_weights(preset, writer.log), lambda: refuse_if_stopped(writer.path)
        )

    def _record_resume(self, events: Sequence[RunEvent], restored: bool, reached: int) -> None:
        """Record where the run continues, unless it is new or an event says so already."""
        step = self.loop.done
        kinds = [event.kind for event in events if event.step == step]
        if "fork" in kinds:  # it may weight its losses differently
            self.early_stopping.best.forget_until(step)
        if events and events[-1].step == step and {"fork", "retry"} & set(kinds):
            return
        if restored:
            text = "Resumed from its checkpoint."
            if restarts():
                text = "Restarted from its checkpoint, because one of its processes had ended."
            self.recorder.event("resume", step, text)
        elif reached or events:
            text = "Started again from the beginning: there was no checkpoint."
            self.recorder.event("resume", step, text)

    def _step_until_something_is_due(self) -> None:
        """Do one step, or so many that the other ranks rarely have to be told to do one more."""
        loop, many = self.loop, 1
        if loop.ranks.leads and self._seconds_per_step:
            due = (
                self.steps.steps_to_record,
                self._evaluate_every - loop.done % self._evaluate_every,
                self.checkpoints.steps_to_next,
                stage_at(loop.stages, loop.done).end - loop.done,
                self.live.steps_to_change,
                int(POLL_EVERY / self._seconds_per_step),
            )
            many = max(min(due), 1)
        loop.promise(many)
        before = self.recorder.stopwatch.seconds
        for _ in range(many):
            self.steps.add(loop.step(), close=self._evaluation_due())
        self._seconds_per_step = (self.recorder.stopwatch.seconds - before) / many

    @property
    def _evaluate_every(self) -> int:
        """The number of steps between two evaluations."""
        loop = self.loop
        return max(round(loop.preset.train.eval_every * loop.sampler.steps_per_epoch), 1)

    def _evaluation_due(self) -> bool:
        done = self.loop.done
        return done == self.loop.total_steps or done % self._evaluate_every == 0

    def _evaluate(self) -> None:
        """Evaluate the weights of this step, unless that has been done."""
        step = self.loop.done
        if self.recorder.evaluated_step == step:
            return
        self.steps.flush()  # before records of a later step
        self.writer.status(phase="evaluating")
        self.loop.ranks.tell(Command.EVALUATE)
        evaluation = self.evaluator.evaluate(self.loop.method, self.loop.autocast)
        if step < SETTLED:
            evaluation.metrics.pop("latent/collapsed", None)
        self.recorder.evaluation(step, evaluation)
        self.steps.progress()
        self.steps.restart_rate()
        for hook in self.hooks:
            hook.on_evaluation(evaluation)
