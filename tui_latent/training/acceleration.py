"""How updates are run: plainly, compiled, or as one captured CUDA graph, whichever is fastest.

Every trial is a real update, so that measuring costs no training. A way that fails is
not used again: the update runs eagerly, and the log says so.

On a CPU `auto` is `off`: which of two ways is faster may come out differently after a resume,
and their roundings differ. A graph replays the kernels of a plain update; a compiled one rounds
differently.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch.optim import Optimizer

from tui_latent.config.settings import Acceleration
from tui_latent.training.graph_step import GraphStep, Losses, Terms, Update

WARM_UP = 5
"""updates before a way is timed: allocation, cuDNN's choices, compiling"""
TIMED = 10
LEAST_GAIN = 1.05
"""how many times faster than the plain way another must be to be chosen"""
WORTH_COMPILING = 600.0
"""seconds that plain updates must still take: compiling itself takes a minute or two"""
_FAILURES = Exception
"""Compilers and captures raise anything: assertions, type errors, their own; none may end a run."""


class StepRunner(Protocol):
    """A way to run an update."""

    name: str

    def __call__(self, drawn: Any, lr: float, /) -> Terms:
        """Do one update on what was drawn; the optimiser's groups already have this rate."""
        ...

    def renew(self) -> None:
        """Use changed loss weights or augmentations from the next update on."""
        ...


class EagerStep:
    """Each operation launched as Python comes to it, with the losses given."""

    def __init__(self, update: Update, losses: Losses, name: str = "plain") -> None:
        self.name = name
        self._update, self._losses = update, losses

    def __call__(self, drawn: Any, lr: float, /) -> Terms:
        """Do one update."""
        return self._update(drawn, self._losses)

    def renew(self) -> None:
        """Do nothing: every update reads weights and augmentations outside the losses."""


def compiled(update: Update, losses: Losses) -> StepRunner:
    """Return updates whose losses, and their gradients, torch compiles at the first call.

    Not the mode "reduce-overhead", whose graphs assert in any thread but the importing one
    (pytorch issue 123177).
    """
    return EagerStep(update, torch.compile(losses, dynamic=False), "compile")


class Accelerator:
    """Runs the updates of one stage: tries its ways in turn, then stays with the fastest."""

    def __init__(
        self,
        plain: StepRunner,
        others: dict[str, Callable[[], StepRunner]],
        choice: Acceleration,
        device: torch.device,
        log: Callable[[str], None],
        updates: int,
    ) -> None:
        """`others` make the ways by name; `updates` are those that the stage still has."""
        self._plain, self._others = plain, others
        self._device, self._log = device, log
        self._updates = updates
        self._tried: dict[str, StepRunner] = {plain.name: plain}
        self._seconds: dict[str, list[float]] = {plain.name: []}
        """by way, of every update of its trial"""
        self._untried: list[str] = []
        self.trying = False
        """whether ways are still being tried"""
        self.way = plain
        """how the next update is run"""
        if device.type == "cuda" and choice == "auto":
            self.trying, self._untried = True, ["compile", "graph"]
        elif choice == "graph" and device.type != "cuda":
            log(
                "train.acceleration is 'graph', which needs a GPU: "
                f"steps run eagerly on the {device}"
            )
        elif choice in ("compile", "graph"):
            self._enter(choice)
            log(f"acceleration: {choice}, as set by train.acceleration")

    def __call__(self, drawn: Any, lr: float, /) -> Terms:
        """Do one update; the optimiser's groups already have this rate."""
        if not self.trying:
            return self._run(drawn, lr)
        self._synchronize()
        start, tried = time.perf_counter(), self.way
        terms = self._run(drawn, lr)
        self._synchronize()
        if self.way is not tried:  # it failed
            self._try_next()
            return terms
        seconds = self._seconds[tried.name]
        seconds.append(time.perf_counter() - start)
        if len(seconds) == WARM_UP + TIMED:
            self._try_next()
        return terms

    def renew(self) -> None:
        """Use changed loss weights or augmentations from the next update on."""
        for way in {id(way): way for way in (self.way, *self._tried.values())}.values():
            way.renew()

    def _run(self, drawn: Any, lr: float, /) -> Terms:
        try:
            return self.way(drawn, lr)
        except _FAILURES as error:
            if self.way is self._plain:
                raise
            self._give_up(self.way.name, error)
            self.way = self._plain
        # Not in the handler: the error holds what the failed update had made.
        return self._plain(drawn, lr)

    def _give_up(self, name: str, error: BaseException) -> None:
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        self._log(f"acceleration: {name} failed, so steps run without it: {first}")
        self._tried.pop(name, None)

    def _try_next(self) -> None:
        """Try the next way that is worth it, or choose the fastest."""
        while self._untried:
            name = self._untried.pop(0)
            left = self._updates * self._step_seconds(self._plain.name)
            if name == "compile" and left < WORTH_COMPILING:
                continue
            if self._enter(name):
                return
        self._settle()

    def _enter(self, name: str) -> bool:
        try:
            self.way = self._others[name]()
        except _FAILURES as error:
            self._give_up(name, error)
            return False
        self._tried[name], self._seconds[name] = self.way, []
        return True

    def _settle(self) -> None:
        self.trying = False
        plain = self._plain.name
        seconds = {name: self._step_seconds(name) for name in self._tried}
        best = min(seconds, key=lambda name: seconds[name])
        gain = seconds[plain] / seconds[best]
        words = ", ".join(
            f"{name} {1000 * value:.3g} ms per step" for name, value in seconds.items()
        )
        if gain >= LEAST_GAIN:
            self.way = self._tried[best]
            self._log(f"acceleration: {best}, {gain:.1f} times as fast ({words})")
        else:
            self.way = self._plain
            self._log(f"acceleration: none ({words})")
        self._tried = {}  # a graph that was not chosen gives its memory back

    def _step_seconds(self, name: str) -> float:
        return statistics.median(self._seconds[name][WARM_UP:])

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def accelerator(
    update: Update,
    losses: Losses,
    optimizer: Optimizer,
    generator: torch.Generator,
    choice: Acceleration,
    updates: int,
    log: Callable[[str], None],
) -> Accelerator:
    """Return what runs a stage's updates, `updates` of them, on the generator's device."""
    others: dict[str, Callable[[], StepRunner]] = {
        "compile": lambda: compiled(update, losses),
        "graph": lambda: GraphStep(update, losses, optimizer, generator),
    }
    plain = EagerStep(update, losses)
    return Accelerator(plain, others, choice, generator.device, log, updates)
