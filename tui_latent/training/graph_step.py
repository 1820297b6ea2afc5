"""A whole update as one CUDA graph; a capture that fails leaves nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from tui_latent.datasets.pairing import Batch

Terms = dict[str, Tensor]
Losses = Callable[[Batch], Terms]
Update = Callable[[Any, Losses], Terms]
"""one update from what was drawn and the losses to use; returns scalars on the device"""


class StepInput(Protocol):
    """What an update is made from: a `Drawn`, or a tensor."""

    def clone(self) -> Any:
        """Return a copy of its tensors."""
        ...

    def copy_(self, other: Any, /) -> Any:
        """Overwrite its tensors."""
        ...


_WARM_UP = 3
"""updates on the capturing stream before the capture, as torch's documentation asks"""


class GraphStep:
    """One CUDA graph of a whole update: augmentation, networks, losses, gradients, optimiser.

    What was drawn and the rate are copied into buffers that the graph reads; the generator of the
    views is registered with it, so that every replay draws anew. The number of rows must stay the
    same. A capture that fails leaves generators, optimiser, stream and memory as they were.
    """

    name = "graph"

    def __init__(
        self, update: Update, losses: Losses, optimizer: Optimizer, generator: torch.Generator
    ) -> None:
        self._update, self._losses = update, losses
        self._optimizer, self._generator = optimizer, generator
        self._device = generator.device
        self._stream = _side_stream(self._device)
        self._before_capture = _WARM_UP
        self._graph: torch.cuda.CUDAGraph | None = None
        self._lr = torch.zeros((), device=self._device)
        self._drawn: Any = None
        self._terms: Terms = {}

    def __call__(self, drawn: StepInput, lr: float, /) -> Terms:
        """Do one update; the terms are overwritten by the next."""
        if self._before_capture:
            self._before_capture -= 1
            return self._on_side_stream(drawn)
        if self._graph is None:
            self._drawn = drawn.clone()
            self._graph = self._capture()
        self._drawn.copy_(drawn)
        self._lr.fill_(lr)
        self._graph.replay()
        return self._terms

    def renew(self) -> None:
        """Capture again after a few updates without a graph.

        Loss weights and augmentation strengths are constants of the captured kernels.
        """
        self._before_capture = _WARM_UP
        if self._graph is not None:
            self._optimizer.zero_grad(set_to_none=True)  # gradients in the graph's memory
            self._terms, self._graph = {}, None

    def _on_side_stream(self, drawn: StepInput) -> Terms:
        main = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(main)
        with torch.cuda.stream(self._stream):
            terms = self._update(drawn, self._losses)
        main.wait_stream(self._stream)
        return terms

    def _capture(self) -> torch.cuda.CUDAGraph:
        """Record an update without running it; the optimiser reads its rate from a buffer."""
        graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
        # Needed until torch 2.13, without effect in 2.14, to be removed after it.
        if register := getattr(graph, "register_generator_state", None):
            register(self._generator)
        generators = (self._generator, torch.cuda.default_generators[self._device.index or 0])
        before = [generator.clone_state() for generator in generators]
        try:
            # The outer context: torch's own leaves the thread on its stream after a failure.
            with self._rate_in_buffer(), _no_collection(), torch.cuda.stream(self._stream):
                # Other threads of a dashboard may use the device meanwhile.
                recording = torch.cuda.graph(graph, pool, self._stream, "thread_local")
                with recording:
                    self._terms = self._update(self._drawn, self._losses)
        except BaseException:
            # Until torch 2.11 their old states would go on believing that a capture is under way.
            for generator, state in zip(generators, before, strict=True):
                generator.graphsafe_set_state(state)
            self._optimizer.zero_grad(set_to_none=True)  # gradients in the graph's memory
            self._terms = {}
            _abandon(graph, pool, self._device)
            raise
        return graph

    @contextmanager
    def _rate_in_buffer(self) -> Iterator[None]:
        groups = self._optimizer.param_groups
        before = [dict(group) for group in groups]
        for group in groups:
            group["lr"] = self._lr
            if "capturable" in group:
                group["capturable"] = True
        try:
            yield
        finally:
            for group, values in zip(groups, before, strict=True):
                group.update(values)


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the stream of all captures: each stream that multiplies has a workspace of its own."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect garbage now and not inside: freeing another graph's memory ends a capture."""
    gc.collect()
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _abandon(graph: torch.cuda.CUDAGraph, pool: tuple[int, int], device: torch.device) -> None:
    """Give back what a failed capture holds.

    If ending the capture raised, torch's allocator would keep filling the graph's pool and never
    release it. The functions that end both are private, and not every version of torch has them.
    """
    graph.reset()
    index = device.index or 0
    for name in (
        "_cuda_endAllocateToPool",
        "_cuda_endAllocateCurrentStreamToPool",
        "_cuda_releasePool",
    ):
        if tell := getattr(torch._C, name, None):
            with suppress(RuntimeError):  # it was ended or released already
                tell(index, pool)
    gc.collect()
