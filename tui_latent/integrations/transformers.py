"""Watch training in transformers: `Trainer(callbacks=[WatchLatents("my-run", embed)])`."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import nn

from tui_latent.integrations.held_out import Embedded, HeldOut, labels_in
from tui_latent.integrations.metric_names import metric_name
from tui_latent.watching.silent_run import SilentRun
from tui_latent.watching.watch import watch
from tui_latent.watching.watched_run import WatchedRun

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ImportError as error:
    raise ImportError(
        "tui_latent.integrations.transformers needs the package transformers: "
        "pip install 'tui-latent[transformers]'"
    ) from error

_NO_METRICS = frozenset(
    ("epoch", "total_flos", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second")
)
"""logged beside the metrics: where the training is, and how fast an evaluation was"""
_SUMMARY = "train_runtime"
"""in the last log of a run, which repeats means over all steps"""


class WatchLatents(TrainerCallback):  # type: ignore[misc]
    """Records what a Trainer logs, and the latents of each evaluation.

    `embed(model, batch)` returns the latents (N, D) of a batch of the evaluation's data, which is
    on the model's device, or latents and labels; otherwise the batch's `labels` count, where they
    are one class per row. Of several evaluation sets, only the first is used. `options` are those
    of `tui_latent.watch`. A dashboard can pause and stop the training and ask for a checkpoint,
    unless several processes train: they would not all hear of it.
    """

    def __init__(
        self,
        name: str | None,
        embed: Callable[[nn.Module, Any], Embedded],
        **options: Any,
    ) -> None:
        self._name, self._embed, self._options = name, embed, options
        self._run: WatchedRun | SilentRun = SilentRun()
        self._held_out = HeldOut()
        self._evaluated = -1
        """step of the newest evaluation"""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Begin the run."""
        own: dict[str, Any] = {
            "obeys": ("pause", "stop", "checkpoint") if args.world_size == 1 else (),
            "total_steps": state.max_steps,
            "total_epochs": state.num_train_epochs,
            "device": str(args.device),
        }
        self._run = watch(self._name, **(own | self._options))
        atexit.register(self._end_with_the_process)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        logs: Mapping[str, Any] | None = None, **_: Any,
    ) -> None:  # fmt: skip
        """Record what is logged, of the training and of evaluations."""
        if logs and _SUMMARY not in logs:
            values = {
                metric_name(name, "train"): value
                for name, value in logs.items()
                if name not in _NO_METRICS and isinstance(value, Real)
            }
            self._run.log(state.global_step, epoch=state.epoch, **values)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Wait while a pause is requested; pass on other requests."""
        self._run.wait_while_paused()
        control.should_training_stop |= self._run.asked.stop
        control.should_save |= self._run.asked.checkpoint
        return control

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Report the checkpoint."""
        self._run.checkpoint_saved(state.global_step)

    @torch.no_grad()
    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        model: nn.Module | None = None, eval_dataloader: Any = None, **_: Any,
    ) -> None:  # fmt: skip
        """Embed the evaluation's data, and record its latents."""
        training = args.world_size > 1 or not isinstance(self._run, SilentRun)
        again = state.global_step == self._evaluated
        if model is None or eval_dataloader is None or again or not training:
            return
        self._evaluated = state.global_step
        was_training = model.training
        model.eval()
        for batch in eval_dataloader:
            moved = {
                name: value.to(args.device) if hasattr(value, "to") else value
                for name, value in batch.items()
            }
            self._held_out.add(self._embed(model, moved), labels_in(moved))
        model.train(was_training)
        self._held_out.record(self._run, state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """End the run."""
        atexit.unregister(self._end_with_the_process)
        self._run.close()
        self._run = SilentRun()

    def _end_with_the_process(self) -> None:
        """End the run if training raised: a Trainer does not tell its callbacks."""
        error = getattr(sys, "last_value", None)
        self._run.__exit__(
            type(error) if error else SystemExit, error, error and error.__traceback__
        )
