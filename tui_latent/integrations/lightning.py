"""Watch training in Lightning: `Trainer(callbacks=[WatchLatents("my-run")])`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from torch import Tensor

from tui_latent.integrations.held_out import Embedded, HeldOut, labels_in, latents_in
from tui_latent.integrations.metric_names import metric_name
from tui_latent.watching.silent_run import SilentRun
from tui_latent.watching.watch import watch
from tui_latent.watching.watched_run import WatchedRun

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
    from lightning.pytorch.loggers.logger import DummyLogger
    from lightning.pytorch.utilities import rank_zero_warn
except ImportError as error:
    raise ImportError(
        "tui_latent.integrations.lightning needs the package lightning: "
        "pip install 'tui-latent[lightning]'"
    ) from error

_ALL_LOOK_EVERY = 10
"""steps after which the processes of a distributed training agree on whether to stop"""


class WatchLatents(Callback):  # type: ignore[misc]
    """Records the loss of each step, what the module logs, and the latents of each validation.

    `embed(module, batch)` returns the latents (N, D) of a validation batch, or latents and labels;
    by default they are in what `module(images)` returns, with the labels of batches (images,
    labels); if that fails, only the curves are recorded, and a warning says so. Of several data
    loaders, only the first is used. `options` are those of `tui_latent.watch`. A dashboard can
    pause and stop the training; where several processes train, it can only stop it, because the
    others would not wait for long.
    """

    def __init__(
        self,
        name: str | None = None,
        embed: Callable[[LightningModule, Any], Embedded] | None = None,
        **options: Any,
    ) -> None:
        self._name, self._embed, self._options = name, embed, options
        self._losses: list[Tensor] = []
        """of the batches since the last step of the optimiser"""
        self._step = -1
        self._no_latents = ""
        """why no latents can be had from the module"""
        self._run: WatchedRun | SilentRun = SilentRun()
        self._held_out = HeldOut()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the run, and receive what the module logs as loggers do."""
        self._losses, self._step = [], trainer.global_step
        steps = trainer.estimated_stepping_batches
        own: dict[str, Any] = {
            "obeys": ("pause", "stop") if trainer.world_size == 1 else ("stop",),
            "config": dict(pl_module.hparams),
            "total_steps": max(int(steps), 0) if isfinite(steps) else 0,
            "total_epochs": max(trainer.max_epochs or 0, 0),
            "device": str(pl_module.device),
        }
        self._run = watch(self._name, **(own | self._options))
        if not trainer.enable_validation:
            self._no_latents = "there is no validation whose batches could be embedded"
        if self._no_latents:
            self._run.note(f"no latents are recorded: {self._no_latents}")
        trainer.loggers = [*trainer.loggers, _Metrics(trainer, self._run)]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Record the loss; wait while a pause is requested."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor) and loss.numel() == 1:
            self._losses.append(loss.detach())
        if self._losses and trainer.global_step != self._step:
            # Lightning divides each loss by the number of batches whose gradients are added up.
            mean = sum(self._losses) * trainer.accumulate_grad_batches / len(self._losses)
            epoch = trainer.current_epoch + (batch_idx + 1) / trainer.num_training_batches
            self._run.log(trainer.global_step, epoch=epoch, loss=mean)
            self._losses, self._step = [], trainer.global_step
        self._run.wait_while_paused()
        if trainer.world_size == 1:
            trainer.should_stop |= self._run.asked.stop
        elif trainer.global_step % _ALL_LOOK_EVERY == 0:
            trainer.should_stop |= trainer.strategy.reduce_boolean_decision(
                self._run.asked.stop, all=False
            )

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any,
        batch_idx: int, dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Embed a batch, on every rank: a module whose weights are shared out needs them all."""
        if dataloader_idx == 0 and not self._no_latents:
            with trainer.precision_plugin.forward_context():
                embed = self._embed or self._forward
                embedded = embed(pl_module, batch)
            if embedded is not None:
                self._held_out.add(embedded, labels_in(batch))

    def _forward(self, module: LightningModule, batch: Any) -> Tensor | None:
        """Embed a batch as most modules do; None, and a warning, where that is not possible."""
        images = batch
        while isinstance(images, (tuple, list)) and images:  # (images, labels), or views of images
            images = images[0]
        try:
            return latents_in(module(images))
        except Exception as error:  # a guess must not end a training
            self._no_latents = (
                f"{type(module).__name__} was called with the images of a batch: "
                f"{type(error).__name__}: {error}; WatchLatents(embed=...) takes a function "
                "(module, batch) that returns the latents"
            )
            rank_zero_warn(f"no latents are recorded: {self._no_latents}")
            self._run.note(f"no latents are recorded: {self._no_latents}")
            return None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the latents, but not those of the batches that only check the module."""
        if trainer.sanity_checking:
            self._held_out.forget()
        else:
            self._held_out.record(self._run, trainer.global_step)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Record what ended the training."""
        self._run.__exit__(type(exception), exception, exception.__traceback__)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """End the run."""
        trainer.loggers = [each for each in trainer.loggers if not isinstance(each, _Metrics)]
        self._run.close()


class _Metrics(DummyLogger):  # type: ignore[misc]
    """A logger that hands metrics to a run; to a module that looks at it, it does nothing."""

    def __init__(self, trainer: Trainer, run: WatchedRun | SilentRun) -> None:
        super().__init__()
        self._trainer, self._run = trainer, run

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record metrics; those of a validation are held-out ones, whatever their names."""
        split = "val" if self._trainer.evaluating else "train"
        values = {
            metric_name(name.removesuffix("_step"), split): value
            for name, value in metrics.items()
            if name != "epoch"
        }
        self._run.log(self._trainer.global_step, **values)
