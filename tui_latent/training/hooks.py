"""What a run does besides training: checkpoints, the pause after a collapse, early stopping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tui_latent.nouns import counted
from tui_latent.training.best_checkpoint import BestLoss
from tui_latent.training.evaluator import Evaluation
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.recorder import Recorder, StepRecorder


class Hook:
    """Called by the run at the moments that its methods name; each does nothing by default."""

    def on_evaluation(self, evaluation: Evaluation) -> None:
        """After an evaluation has been recorded."""

    def on_step(self) -> None:
        """After each step, and after its evaluation if it had one."""

    def on_end(self) -> None:
        """After training has finished or was stopped, but not after an error."""


class EarlyStopping(Hook):
    """Follows the best held-out loss of the last stage, and ends a run that gets no better."""

    def __init__(self, loop: TrainingLoop, log: Callable[[str], None]) -> None:
        self.best = BestLoss()
        self._loop, self._log = loop, log

    def on_evaluation(self, evaluation: Evaluation) -> None:
        """Compare the loss with the best one."""
        if self._loop.stage is self._loop.stages[-1]:
            self.best.judge(self._loop.done, evaluation.metrics.get("val/loss"))

    def out_of_patience(self) -> bool:
        """Return whether the run should end now, and log why."""
        step = self._loop.done
        if not self.best.exhausts(self._loop.preset.train.patience, step):
            return False
        self._log(
            f"stopped early: val/loss was best at step {self.best.step:,} and has not improved "
            f"in the {counted(step - self.best.step, 'step')} since"
        )
        return True


class CollapseWatch(Hook):
    """Records that the latents have collapsed, once, and pauses the run if the preset says so."""

    def __init__(self, loop: TrainingLoop, recorder: Recorder, pause: Callable[[], None]) -> None:
        self._loop, self._recorder, self._pause = loop, recorder, pause
        self._collapsed = False

    def on_evaluation(self, evaluation: Evaluation) -> None:
        """Compare with the evaluation before."""
        collapsed, loop = bool(evaluation.metrics.get("latent/collapsed")), self._loop
        if collapsed and not self._collapsed:
            pausing = loop.preset.train.pause_on_collapse and loop.done < loop.total_steps
            reason = ": pausing, because train.pause_on_collapse is set" if pausing else ""
            self._recorder.event("collapse", loop.done, f"The latents have collapsed{reason}.")
            if pausing:
                self._pause()
        self._collapsed = collapsed


class StageWatch(Hook):
    """Records that another stage has begun."""

    def __init__(self, loop: TrainingLoop, recorder: Recorder) -> None:
        self._loop, self._recorder, self._stage = loop, recorder, loop.stage.index

    def on_step(self) -> None:
        """Compare with the stage of the step before."""
        loop = self._loop
        if loop.stage.index != self._stage:
            self._stage = loop.stage.index
            number, count = self._stage + 1, len(loop.stages)
            text = f"Stage {number} of {count} began: {loop.stage_title()}."
            self._recorder.event("stage", loop.stage.first, text)


class Checkpoints(Hook):
    """Saves after each evaluation, at intervals of epochs and seconds, and at the end."""

    def __init__(
        self,
        loop: TrainingLoop,
        recorder: Recorder,
        steps: StepRecorder,
        best: BestLoss,
    ) -> None:
        self._loop, self._recorder, self._steps, self._best = loop, recorder, steps, best
        self._saved_step = -1
        self._saved_at = recorder.stopwatch.seconds

    def on_evaluation(self, evaluation: Evaluation) -> None:
        """Save the weights that were evaluated."""
        self.save()

    def on_step(self) -> None:
        """Save if a checkpoint is due."""
        elapsed = self._recorder.stopwatch.seconds - self._saved_at
        due = self._loop.done % self._every == 0
        if due or elapsed >= self._loop.preset.train.checkpoint_seconds:
            self.on_end()

    @property
    def steps_to_next(self) -> int:
        """The number of steps after which the next checkpoint is due, 1 or more."""
        return self._every - self._loop.done % self._every

    @property
    def _every(self) -> int:
        epochs = self._loop.preset.train.checkpoint_every
        return max(round(epochs * self._loop.sampler.steps_per_epoch), 1)

    def on_end(self) -> None:
        """Save unless this very step is saved."""
        if self._saved_step != self._loop.done:
            self.save()

    def save(self) -> None:
        """Write a checkpoint of this very step; NotFiniteError once the loss has become NaN."""
        state = {
            **self._loop.state_dict(),
            "window": self._steps.state_dict(),
            "evaluated_step": self._recorder.evaluated_step,
            "seconds": self._recorder.stopwatch.seconds,
            **self._best.state(),
        }
        self._recorder.checkpoint(state, best=0 < self._best.step == self._loop.done)
        self._saved_step, self._saved_at = self._loop.done, self._recorder.stopwatch.seconds

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of a checkpoint."""
        self._loop.load_state_dict(state)
        self._steps.load_state_dict(state["window"])
        self._recorder.evaluated_step = state["evaluated_step"]
        self._best.load_state(state)
        self._saved_step = self._loop.done
