"""The training loop: networks, optimiser, batch order and step, in memory only.

It needs no run folder: benchmarks and scripts use it as it is, `run.py` adds what a run records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.pairing import Drawn, Pairing, make_pairing
from tui_latent.datasets.preprocessing import preprocessing_state
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method
from tui_latent.training.acceleration import Accelerator, accelerator
from tui_latent.training.device import choose_layout, choose_precision, use_device
from tui_latent.training.epoch_sampler import EpochSampler
from tui_latent.training.graph_step import Losses, Terms
from tui_latent.training.optimizers import make_optimizer
from tui_latent.training.random_states import load_random_states, random_states
from tui_latent.training.rank_commands import Command
from tui_latent.training.rank_losses import losses_across, refuse_uneven
from tui_latent.training.ranks import ALONE, Ranks, packed
from tui_latent.training.residence import placed
from tui_latent.training.schedule import Stage, lr_at, plan_stages, stage_at
from tui_latent.training.step_images import step_images
from tui_latent.training.step_memory import step_memory


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Return the loss: the only place where terms are added up."""
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


@dataclass(eq=False)
class Update:
    """One update of the weights in a stage; acceleration compiles it or captures it as a graph.

    It does not refer to the loop, so a graph that refers to it keeps no loop alive. A graph uses
    `pairing` and the method's weights as they were at its capture: see `TrainingLoop.tune`.
    """

    method: Method
    pairing: Pairing
    generator: torch.Generator
    """draws views"""
    trainable: list[nn.Parameter]
    optimizer: Optimizer
    autocast: Callable[[], torch.autocast]
    grad_clip: float
    """largest norm of all gradients together; 0 for no limit"""

    def __call__(self, drawn: Drawn, losses: Losses) -> Terms:
        """Update on the images that were drawn; return the loss and every term, detached."""
        batch = self.pairing.made(drawn, self.generator)
        with self.autocast():
            terms = losses(batch)
        loss = weighted_sum(terms, self.method.weights())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.grad_clip:
            nn.utils.clip_grad_norm_(self.trainable, self.grad_clip)
        self.optimizer.step()
        return {"loss": loss.detach(), **{name: term.detach() for name, term in terms.items()}}


class TrainingLoop:
    """Trains the method of a preset on a dataset, one step at a time, through all its stages."""

    stage: Stage
    optimizer: Optimizer
    update: Update
    _accelerated: Accelerator | None

    def __init__(
        self,
        preset: Preset,
        dataset: Dataset,
        device: torch.device,
        neighbours: Tensor | None = None,
        log: Callable[[str], None] = lambda _: None,
        ranks: Ranks = ALONE,
    ) -> None:
        """Build the networks, and put the images where `data.resident` says, or where they fit.

        `neighbours`, int64 (N, k), are the partners of each training image, for methods that
        pair neighbours. All ranks must build their loops at the same time. DataError says why the
        images cannot be paired or divided among the ranks, or do not fit there.
        """

        def alone(preset: Preset) -> TrainingLoop:
            return TrainingLoop(preset, dataset, device, neighbours)

        use_device(device)
        train = preset.train
        self.preset, self.device, self.log, self.ranks = preset, device, log, ranks
        self.precision = choose_precision(train, device)
        self.autocast: Callable[[], torch.autocast] = partial(
            torch.autocast,
            device.type,
            dtype=torch.bfloat16,
            enabled=self.precision is torch.bfloat16,
        )
        with ranks.agreeing():
            self.dataset = placed(
                dataset, preset, device, partial(step_memory, alone, preset, device), log
            )
            torch.manual_seed(train.seed)
            self.method = METHODS[preset.method.name](preset.method, self.dataset.input_shape)
            images, kind = self.dataset.train, self.method.pairing
            cpu = torch.device("cpu")
            self.pairing = make_pairing(
                kind, images, self.dataset, preset.augment, neighbours, draws_on=cpu
            )
            self.sampler = EpochSampler(len(images), train.batch_size, train.seed, ranks=ranks)
            refuse_uneven(self.sampler.batch_size, ranks.world)
        self.generator = torch.Generator(device).manual_seed(train.seed)
        self.stages = plan_stages(preset, self.sampler.steps_per_epoch)
        self.total_steps = self.stages[-1].end
        self.images = step_images(self.pairing, self.sampler, device, self.total_steps)
        self.done = 0
        """updates so far"""
        self.lr_factor = 1.0
        """multiplies the scheduled learning rate"""
        self._promised = 0
        """steps that the other ranks do without hearing from this one"""
        self._enter_stage(self.stages[0])

    def step(self) -> Terms:
        """Do one update; return the loss and every term, detached, still on the device.

        They are valid until the next step. Of several ranks, each has the terms of its own images.
        """
        if not self._promised:
            self.promise(1)
        self._promised -= 1
        if (stage := stage_at(self.stages, self.done)) is not self.stage:
            self._enter_stage(stage)
        self.ranks.seed(self.generator, self.preset.train.seed, self.done)
        lr = self.scheduled_lr * self.lr_factor
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        terms = self.accelerated(self.images.at(self.done), lr)
        self.done += 1
        return terms

    def promise(self, steps: int) -> None:
        """Tell the other ranks to do so many steps: this one says nothing else before it has done
        them."""
        self._promised = steps
        self.ranks.tell(Command.STEPS, self.lr_factor, steps)

    def tune(self, preset: Preset) -> None:
        """Use other learning rates, loss weights and augmentations from the next step on.

        Everything else in `preset` must be as before. A captured graph is captured again.
        """
        self.ranks.tell(Command.TUNE, about=preset.model_dump(mode="json"))
        before, self.preset = self.preset, preset
        self.stages = plan_stages(preset, self.sampler.steps_per_epoch)
        self.stage = self.stages[self.stage.index]
        self.method.weigh(preset.method)
        self.pairing = self.update.pairing = replace(self.pairing, augment=preset.augment)
        in_graph = (before.method, before.augment) != (preset.method, preset.augment)
        if self._accelerated is not None and in_graph:
            self._accelerated.renew()

    def close(self) -> None:
        """End the thread that reads images, if there is one; no step can follow."""
        self.images.close()

    @property
    def accelerated(self) -> Accelerator:
        """Runs the updates of this stage, in the fastest way found."""
        if self._accelerated is None:
            choice, left = self.preset.train.acceleration, self.stage.end - self.done
            if self.ranks.several:  # a captured graph would hold the exchange between ranks
                choice = "off"
            work = (self.update, self._losses, self.optimizer, self.generator)
            self._accelerated = accelerator(*work, choice, left, self.log)
        return self._accelerated

    @property
    def lr(self) -> float:
        """The learning rate of the last step."""
        lr: float = self.optimizer.param_groups[0]["lr"]
        return lr

    @property
    def scheduled_lr(self) -> float:
        """Learning rate of the next step according to the schedule, without the factor."""
        return lr_at(self.done, stage_at(self.stages, self.done), self.preset.train.schedule)

    def stage_title(self) -> str:
        """Return what the current stage is called; empty where there is only one."""
        if len(self.stages) == 1:
            return ""
        settings = self.stage.settings
        return settings.title or f"{settings.latent_dim}-D, {settings.trainable}"

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a new loop needs to continue with exactly the same numbers."""
        return {
            "step": self.done,
            "stage": self.stage.index,
            "input_shape": list(self.dataset.input_shape),
            "preprocessing": preprocessing_state(self.dataset),
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **random_states(self.generator),
            "bfloat16": self.precision is torch.bfloat16,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where another loop was; to be called before the first step."""
        self._send(state)
        for stage in self.stages[1 : state["stage"] + 1]:
            self._enter_stage(stage)
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["bfloat16"] != (self.precision is torch.bfloat16):
            precision = str(self.precision).removeprefix("torch.")
            self.log(f"the networks now compute in {precision}, unlike before the checkpoint")
        self.done = state["step"]
        load_random_states(state, self.generator, self.preset.train.seed, self.log)

    def send_state(self) -> None:
        """Let all ranks continue from the state of this one."""
        self._send(self.state_dict())

    def _send(self, state: Mapping[str, Any]) -> None:
        if self.ranks.leads:
            self.ranks.tell(Command.LOAD, about=packed(state))

    def _enter_stage(self, stage: Stage) -> None:
        train = self.preset.train
        self.stage = stage
        trainable = self.method.start_stage(stage.settings)
        self.method.to(self.device).train()
        # A small network's step took 0.6 times as long with it on a CPU, and tensor cores want it.
        self.method.to(memory_format=choose_layout(self.preset.method))
        self.optimizer = make_optimizer(trainable, train)
        self._losses = losses_across(self.method, self.ranks, self.device)
        self.update = Update(
            self.method,
            self.pairing,
            self.generator,
            trainable,
            self.optimizer,
            self.autocast,
            train.grad_clip,
        )
        self._accelerated = None
        if title := self.stage_title():
            self.log(f"stage {stage.index + 1} of {len(self.stages)}: {title}")
