"""The training loop: one run from its preset, or from its last checkpoint, to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tui_latent.config.settings import Preset
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import load_dataset
from tui_latent.methods import METHODS
from tui_latent.metrics.knn import KS
from tui_latent.metrics.sample_order import drawn_order
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.schema import State
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.cpu_share import ScreenShare
from tui_latent.trained_on import ImageCheck
from tui_latent.training.acceleration import Accelerator, accelerator
from tui_latent.training.best_checkpoint import BestLoss
from tui_latent.training.checkpoint import load_checkpoint, save_checkpoint, state_bytes
from tui_latent.training.device import (
    choose_device,
    choose_layout,
    choose_precision,
    describe_device,
    memory_in_use,
    use_device,
)
from tui_latent.training.device_memory import move_to
from tui_latent.training.epoch_sampler import EpochSampler
from tui_latent.training.evaluator import Evaluation, Evaluator
from tui_latent.training.graph_step import Losses
from tui_latent.training.latent_writer import LatentWriter
from tui_latent.training.loading import load_unless_stopped, refuse_if_stopped
from tui_latent.training.loss_window import LossWindow
from tui_latent.training.neighbour_views import earlier_neighbours
from tui_latent.training.optimizers import make_optimizer
from tui_latent.training.random_states import load_random_states, random_states
from tui_latent.training.retrying_writes import RetryingWriter
from tui_latent.training.run_control import RunControl, StopRequested, Stopwatch
from tui_latent.training.schedule import Stage, lr_at, plan_stages, stage_at

SETTLED = 30
"""steps after which batch normalisation's running averages (of .9) hold for an evaluation: before,
a sound network's latents can look collapsed"""


class Trainer:
    """Trains one run and writes its folder; the only writer of weights."""

    stage: Stage
    trainable: list[nn.Parameter]
    optimizer: Optimizer

    def __init__(self, path: Path, preset: Preset, writer: RunWriter) -> None:
        """Load data, build the network, and go to the last checkpoint if there is one."""
        self.path, self.preset, self.writer = path, preset, writer
        train = preset.train
        self.device = choose_device(train.device, writer.log)
        use_device(self.device)
        self.precision = choose_precision(train, self.device)
        writer.status(device=describe_device(self.device), phase=f"loading {preset.data.source}")
        images = ImageCheck(path, writer.log)
        dataset = load_unless_stopped(
            writer,
            lambda log, poll: load_dataset(
                preset.data, train.seed, log, self.device, images.compare, poll
            ),
        )
        self.dataset = move_to(dataset, preset.data, self.device)
        writer.status(phase="building the network")
        torch.manual_seed(train.seed)
        self.method = METHODS[preset.method.name](preset.method, self.dataset.input_shape)
        neighbours = earlier_neighbours(preset, path.parent, self.dataset, images.now)
        kind, augment = self.method.pairing, preset.augment
        self.pairing = make_pairing(kind, self.dataset.train, self.dataset, augment, neighbours)
        # Held-out images have no neighbours in the earlier run: they are compared by two views.
        held_out_kind = "views" if kind == "neighbours" else kind
        val = self.dataset.val
        order = drawn_order(val.images, val.labels, lambda: refuse_if_stopped(path))
        held_out = make_pairing(held_out_kind, val, self.dataset, augment, order=order)
        self.generator = torch.Generator(self.device).manual_seed(train.seed)
        self.order = EpochSampler(
            len(self.dataset.train), train.batch_size, train.seed, self.device
        )
        self.stages = plan_stages(preset, self.order.steps_per_epoch)
        self.total_steps = self.stages[-1].end
        self.done = 0
        self.best, self.evaluated_step = BestLoss(), -1
        self.missing: dict[str, str] = {}
        self.collapsed = False
        self.window = LossWindow(late=self.device.type == "cuda")
        self._enter_stage(self.stages[0])
        self.stopwatch = Stopwatch(self._resume())
        images.note(self.done)
        self._rate_from = (self.done, self.stopwatch.seconds)
        self._saved_at = self.stopwatch.seconds
        self.disk = RetryingWriter(path, writer, self.stopwatch)
        self.control = RunControl(path, writer, self.stopwatch, self.save)
        on_chunk = self.control.poll_within_evaluation
        self.evaluator = Evaluator(self.dataset, held_out, train.batch_size, on_chunk)
        self.latents = LatentWriter(writer, self.dataset)
        self.screen = ScreenShare()
        self.accelerated = self._accelerator()

    def step(self) -> dict[str, Tensor]:
        """Do one update; return the loss and every term, detached, still on the device.

        They hold until the next step.
        """
        lr = lr_at(self.done, self.stage, self.preset.train.schedule) * self.control.lr_factor
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        terms = self.accelerated(self.order.rows(self.done), lr)
        self.done += 1
        return terms

    def update(self, rows: Tensor, losses: Losses) -> dict[str, Tensor]:
        """Do what `step` does for these rows, by these losses: the part that is accelerated."""
        batch = self.pairing.batch(rows, self.generator)
        with self.autocast():
            terms = losses(batch)
        loss = self.weighted_sum(terms)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.preset.train.grad_clip:
            nn.utils.clip_grad_norm_(self.trainable, self.preset.train.grad_clip)
        self.optimizer.step()
        return {"loss": loss.detach(), **{name: term.detach() for name, term in terms.items()}}

    def run(self) -> State:
        """Train until the last step, a stop, or the end of patience; return how it ended."""
        self.writer.status(state="running", total_steps=self.total_steps, **self._progress())
        try:
            if self.done and self._evaluation_due() and self.evaluated_step != self.done:
                self._evaluate()  # the one in which the run was stopped
                self.save()
            while self.done < self.total_steps and not self._out_of_patience():
                self.control.poll()
                if self.done >= self.stage.end:
                    self._enter_stage(stage_at(self.stages, self.done))
                    self.accelerated = self._accelerator()
                self.window.add(self.step())
                self._periodic()
            if self.evaluated_step != self.done:
                self._evaluate()
                self.save()
        except StopRequested:
            self.save()
            return "stopped"
        return "finished"

    def release(self) -> None:
        """Free images, weights and graphs at once; the trainer is of no use afterwards.

        It hands out its own methods, so that only a collection would find it, and a dashboard
        sets aside from collections what exists while modules are loaded.
        """
        self.__dict__.clear()

    def weighted_sum(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the loss: the only place where terms are added up."""
        weights = self.method.weights()
        return torch.stack([weights[name] * term for name, term in terms.items()]).sum()

    def autocast(self) -> torch.autocast:
        """Return the context in which the networks run in this run's precision."""
        enabled = self.precision is torch.bfloat16
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def save(self) -> None:
        """Write a checkpoint of this very step, unless the loss has become NaN."""
        self._append_records(wait=True)
        state = {
            "step": self.done,
            "window": self.window.state(self.done),
            "evaluated_step": self.evaluated_step,
            "stage": self.stage.index,
            "input_shape": list(self.dataset.input_shape),
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **random_states(self.generator),
            "seconds": self.stopwatch.seconds,
            **self.best.state(),
            "bfloat16": self.precision is torch.bfloat16,
        }
        folder, best = self.path / "checkpoints", 0 < self.best.step == self.done
        self.disk.write(self.path / "metrics.jsonl", 0, self.writer.sync)
        needed = state_bytes(state)
        saved = self.disk.write(folder, needed, lambda: save_checkpoint(folder, state, best))
        self._saved_at = self.stopwatch.seconds
        self.writer.status(checkpoint_step=saved.step)
        self.writer.log(f"checkpoint at step {saved.step:,}, {saved.bytes / 1e6:.1f} MB")

    def _resume(self) -> float:
        """Go to the newest checkpoint; return the seconds of training it had taken."""
        folder = self.path / "checkpoints"
        saved = RetryingWriter(self.path, self.writer, Stopwatch(0.0)).write(
            folder, 0, lambda: load_checkpoint(folder, self.device, self.writer.log)
        )
        if saved is None:
            return 0.0
        for stage in self.stages[1 : saved["stage"] + 1]:
            self._enter_stage(stage)
        self.method.load_state_dict(saved["method"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if saved["bfloat16"] != (self.precision is torch.bfloat16):
            precision = str(self.precision).removeprefix("torch.")
            self.writer.log(f"the networks now compute in {precision}, unlike at the checkpoint")
        self.done = saved["step"]
        self.best.load_state(saved)
        self.evaluated_step = saved["evaluated_step"]
        self.window.load_state(saved["window"], self.device)
        load_random_states(saved, self.generator, self.preset.train.seed, self.writer.log)
        self.writer.status(checkpoint_step=self.done)
        self.writer.log(f"resumed from the checkpoint at step {self.done:,}")
        seconds: float = saved["seconds"]
        return seconds

    def _enter_stage(self, stage: Stage) -> None:
        self.stage = stage
        self.trainable = self.method.start_stage(stage.settings)
        self.method.to(self.device).train()
        # A small network's step took 0.6 times as long with it on a CPU, and tensor cores want it.
        self.method.to(memory_format=choose_layout(self.preset.method))
        self.optimizer = make_optimizer(self.trainable, self.preset.train)
        if len(self.stages) > 1:
            self.writer.log(f"stage {stage.index + 1} of {len(self.stages)}: {self._stage_title()}")

    def _accelerator(self) -> Accelerator:
        choice, left = self.preset.train.acceleration, self.stage.end - self.done
        work = (self.update, self.method.losses, self.optimizer, self.generator)
        return accelerator(*work, choice, left, self.writer.log)

    def _stage_title(self) -> str:
        settings = self.stage.settings
        return settings.title or f"{settings.latent_dim}-D, {settings.trainable}"

    def _periodic(self) -> None:
        train, epoch = self.preset.train, self.order.steps_per_epoch
        evaluating = self._evaluation_due()
        saving = evaluating or self.done % max(round(train.checkpoint_every * epoch), 1) == 0
        saving = saving or self.stopwatch.seconds - self._saved_at >= train.checkpoint_seconds
        if evaluating or len(self.window) >= train.log_every:
            self._record()
        self.writer.status(**self._progress())
        if evaluating:
            self._evaluate()
        if saving:
            self.save()

    def _evaluation_due(self) -> bool:
        every = max(round(self.preset.train.eval_every * self.order.steps_per_epoch), 1)
        return self.done == self.total_steps or self.done % every == 0

    def _record(self) -> None:
        """End the window of terms, and append what has been read of them to the run."""
        values = {"train/lr": self.optimizer.param_groups[0]["lr"]}
        steps, seconds = self.done - self._rate_from[0], self.stopwatch.seconds
        if steps and seconds > self._rate_from[1]:
            rate = steps * self.order.batch_size / (seconds - self._rate_from[1])
            values["train/images_per_second"] = rate
            self.writer.status(images_per_second=rate, memory_bytes=memory_in_use(self.device))
        self._rate_from = (self.done, seconds)
        if (share := self.screen.read()) is not None:
            values["train/screen_share"] = share
        self.window.close(self.done, values, seconds)
        self._append_records(wait=False)

    def _append_records(self, wait: bool) -> None:
        for closed, means in self.window.read(wait):
            values = {f"train/{name}": value for name, value in means.items()} | closed.beside
            self._write(values, closed.step, closed.seconds)

    def _evaluate(self) -> None:
        self._append_records(wait=True)  # before records of a later step
        self.writer.status(phase="evaluating")
        evaluation = self.evaluator.evaluate(self.method, self.autocast)
        metrics = evaluation.metrics
        if self.done < SETTLED:
            metrics.pop("latent/collapsed", None)
        self._write(metrics, self.done, self.stopwatch.seconds)
        self.disk.write(
            self.path / "latents",
            state_bytes([evaluation.bank, evaluation.queries]),
            lambda: self.latents.write(self.done, evaluation),
        )
        if self.stage is self.stages[-1]:
            self.best.judge(self.done, metrics.get("val/loss"))
        self.evaluated_step = self.done
        self._tell(evaluation)
        self._check_collapse(bool(metrics.get("latent/collapsed")))
        self.writer.status(**self._progress())
        self._rate_from = (self.done, self.stopwatch.seconds)

    def _tell(self, evaluation: Evaluation) -> None:
        """Log the figures of an evaluation and, when it changes, why some are missing."""
        metrics, missing = evaluation.metrics, evaluation.missing
        loss = f"{metrics['val/loss']:.4g}" if "val/loss" in metrics else "–"
        accuracies = ((k, metrics.get(f"val/knn_{k}")) for k in KS)
        knn = [f"knn_{k} {'–' if value is None else f'{value:.4f}'}" for k, value in accuracies]
        self.writer.log(f"step {self.done:,}: val/loss {loss}, " + ", ".join(knn))
        if missing != self.missing:
            for line in missing_lines(missing):
                self.writer.log(f"missing: {line}")
        self.missing = missing

    def _check_collapse(self, collapsed: bool) -> None:
        if collapsed and not self.collapsed:
            pausing = self.preset.train.pause_on_collapse and self.done < self.total_steps
            self.writer.log(
                f"the latents have collapsed at step {self.done:,}"
                + (": pausing, as train.pause_on_collapse asks" if pausing else "")
            )
            if pausing:
                self.control.pause()
        self.collapsed = collapsed

    def _write(self, values: dict[str, float], step: int, seconds: float) -> None:
        epoch = step / self.order.steps_per_epoch
        self.disk.write(
            self.path / "metrics.jsonl",
            40 * len(values),
            lambda: self.writer.metrics(step, epoch, seconds, values),
        )

    def _progress(self) -> dict[str, Any]:
        return {
            "step": self.done,
            "epoch": self.done / self.order.steps_per_epoch,
            "total_epochs": self.total_steps // self.order.steps_per_epoch,
            "seconds": self.stopwatch.seconds,
            "phase": self._stage_title() if len(self.stages) > 1 else "training",
        }

    def _out_of_patience(self) -> bool:
        if not self.best.exhausts(self.preset.train.patience, self.done):
            return False
        self.writer.log(
            f"stopped early: val/loss was best at step {self.best.step:,}, and no better at any "
            f"evaluation in the {self.done - self.best.step:,} steps since"
        )
        return True
