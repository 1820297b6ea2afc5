"""A capture that fails, by a model of the rules that torch has for it; on a GPU, a real one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training.conftest import MakeRun
from tests.training.test_acceleration import log_of, needs_cuda
from tui_latent.datasets.pairing import Drawn
from tui_latent.launch.start import train_run
from tui_latent.runs.reader import RunReader
from tui_latent.training import graph_step as captured
from tui_latent.training.acceleration import TIMED, WARM_UP, Accelerator, EagerStep, StepRunner
from tui_latent.training.graph_step import GraphStep, Terms
from tui_latent.training.loop import Update

TRIAL = WARM_UP + TIMED
CAPTURE = TRIAL + 3
"""the first update that is recorded"""


class State:
    """What torch up to 2.11 knows of a generator: one flag for all captures."""

    def __init__(self, offset: int = 0) -> None:
        self.offset, self.capturing = offset, False


class Generator:
    """A GPU's generator by the rules of one version of torch."""

    device = torch.device("cpu")

    def __init__(self, torch_model: TorchModel) -> None:
        self.state, self._torch = State(), torch_model

    def draw(self) -> int:
        if self._torch.capturing:
            if self._torch.one_flag and not self.state.capturing:
                raise RuntimeError("the generator is not registered with the graph")
            return -1
        if self.state.capturing:
            raise RuntimeError("Offset increment outside graph capture encountered unexpectedly.")
        self.state.offset += 1
        return self.state.offset

    def clone_state(self) -> Generator:
        other = Generator(self._torch)
        other.state = State(self.state.offset)
        return other

    def graphsafe_set_state(self, other: Generator) -> None:
        self.state = other.state


class TorchModel:
    """Capture, stream, allocator and generators; `one_flag` as up to 2.11, else as in 2.14."""

    def __init__(self, one_flag: bool) -> None:
        self.one_flag = one_flag
        self.capturing = False
        self.stream = "main"
        self.recording_pools: set[tuple[int, int]] = set()
        self.released_pools: list[tuple[int, int]] = []
        self.collected_within = False
        self.default, self.views = Generator(self), Generator(self)

    def new_graph(self) -> Any:
        return OldGraph(self) if self.one_flag else Graph(self)

    @contextmanager
    def on_stream(self, stream: Stream) -> Iterator[None]:
        before, self.stream = self.stream, "side"
        try:
            yield
        finally:
            self.stream = before

    def end_pool(self, device: int, pool: tuple[int, int]) -> None:
        if pool not in self.recording_pools:
            raise RuntimeError("not currently recording to mempool_id")
        self.recording_pools.discard(pool)

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "CUDAGraph": self.new_graph,
            "graph": lambda *given: Capture(self, *given),
            "graph_pool_handle": lambda: (0, 1),
            "stream": self.on_stream,
            "current_stream": lambda device=None: Stream(),
            "default_generators": (self.default,),
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(captured, "_side_stream", lambda device: Stream())
        monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", self.end_pool, raising=False)
        release = lambda device, pool: self.released_pools.append(pool)  # noqa: E731
        monkeypatch.setattr(torch._C, "_cuda_releasePool", release, raising=False)


class Graph:
    def __init__(self, torch_model: TorchModel) -> None:
        self.torch, self.generators = torch_model, [torch_model.default]
        self.was_reset = False

    def replay(self) -> None:
        for generator in (self.torch.default, self.torch.views):
            generator.draw()

    def reset(self) -> None:
        self.was_reset = True


class OldGraph(Graph):
    def register_generator_state(self, generator: Generator) -> None:
        self.generators.append(generator)


class Stream:
    def wait_stream(self, other: Stream) -> None:
        pass


class Capture:
    """torch.cuda.graph: after an error its end raises before anything is put back."""

    def __init__(
        self, model: TorchModel, graph: Graph, pool: Any, stream: Stream, mode: str
    ) -> None:
        assert mode == "thread_local"
        self.model, self.graph, self.pool = model, graph, pool

    def __enter__(self) -> None:
        self.model.capturing, self.model.stream = True, "side"
        self.model.recording_pools.add(self.pool)
        self.model.collected_within = gc.isenabled()
        for generator in self.graph.generators:
            generator.state.capturing = self.model.one_flag

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.model.capturing = False
        if error is not None:
            raise RuntimeError("CUDA error: operation failed due to a previous error") from error
        self.model.recording_pools.discard(self.pool)
        for generator in self.graph.generators:
            generator.state.capturing = False
        self.model.stream = "main"


class Optimizer:
    def __init__(self) -> None:
        self.param_groups = [{"lr": 0.1, "capturable": False}]
        self.gradients_dropped = False

    def zero_grad(self, set_to_none: bool) -> None:
        self.gradients_dropped = True


class Run:
    """Updates that draw twice each, first tried plainly, then captured."""

    def __init__(self, model: TorchModel, fails: bool) -> None:
        self.model, self.fails = model, fails
        self.optimizer, self.log = Optimizer(), list[str]()
        self.drawn: list[int] = []
        self.streams: list[str] = []
        plain = EagerStep(self.update, None)  # type: ignore[arg-type]
        graph: dict[str, Callable[[], StepRunner]] = {"graph": self.graph}
        self.accelerated = Accelerator(
            plain, graph, "auto", torch.device("cuda", 0), self.log.append, 1000
        )
        self.accelerated._untried = ["graph"]

    def graph(self) -> GraphStep:
        return GraphStep(self.update, None, self.optimizer, self.model.views)  # type: ignore[arg-type]

    def update(self, rows: Tensor, losses: Any) -> Terms:
        drawn = self.model.views.draw(), self.model.default.draw()
        if self.model.capturing:
            if self.fails:
                raise RuntimeError("operation not permitted when stream is capturing")
        else:
            assert drawn[0] == drawn[1]
            self.drawn.append(drawn[0])
            self.streams.append(self.model.stream)
        return {"loss": torch.zeros(())}

    def go(self, updates: int) -> None:
        for number in range(updates):
            self.accelerated(torch.tensor([number]), 0.1)


@pytest.fixture(params=[True, False], ids=["torch 2.6 to 2.11", "torch 2.14"])
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TorchModel:
    made = TorchModel(one_flag=request.param)
    made.patch(monkeypatch)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    return made


def test_after_a_capture_that_fails_the_run_goes_on_with_the_very_draws_of_a_plain_one(
    model: TorchModel,
) -> None:
    run = Run(model, fails=True)
    run.go(40)
    assert run.drawn == list(range(1, 41))
    assert "acceleration: graph failed" in run.log[0]
    assert run.streams[CAPTURE:] == ["main"] * (40 - CAPTURE)
    assert run.optimizer.param_groups == [{"lr": 0.1, "capturable": False}]
    assert gc.isenabled()


def test_a_later_run_of_the_process_can_capture_and_draw(model: TorchModel) -> None:
    Run(model, fails=True).go(40)
    model.views = Generator(model)  # a run has its own, and torch's own is everybody's
    model.default.state.offset = 0
    later = Run(model, fails=False)
    later.go(40)
    assert "graph failed" not in "".join(later.log)
    assert model.default.state.offset == model.views.state.offset == 40


def test_a_capture_that_fails_keeps_no_memory(model: TorchModel) -> None:
    run = Run(model, fails=True)
    run.go(CAPTURE + 1)
    assert model.recording_pools == set()
    assert model.released_pools == [(0, 1)]
    assert run.optimizer.gradients_dropped


def test_nothing_is_collected_within_a_capture(model: TorchModel) -> None:
    Run(model, fails=False).go(CAPTURE + 1)
    assert not model.collected_within
    assert gc.isenabled()


def test_a_changed_weight_reaches_the_graph_by_a_new_capture(model: TorchModel) -> None:
    """A replay returns what the kernels held when they were recorded, whatever has changed."""
    run = Run(model, fails=False)
    weight = 1.0
    captures = 0
    update = run.update

    def weighing(rows: Tensor, losses: Any) -> Terms:
        nonlocal captures
        captures += model.capturing
        return {"loss": update(rows, losses)["loss"] + weight}

    run.accelerated._others = {
        "graph": lambda: GraphStep(weighing, None, run.optimizer, model.views)  # type: ignore[arg-type]
    }
    run.go(CAPTURE + 5)
    assert captures == 1 and run.accelerated.way.name == "graph"
    rows = torch.tensor([0])
    weight = 3.0
    assert run.accelerated(rows, 0.1)["loss"] == 1.0
    run.optimizer.gradients_dropped = False
    run.accelerated.renew()
    assert run.optimizer.gradients_dropped  # they lie in the old graph's memory
    assert [float(run.accelerated(rows, 0.1)["loss"]) for _ in range(6)] == [3.0] * 6
    assert captures == 2
    drawn = model.default.state.offset, model.views.state.offset
    assert drawn == (CAPTURE + 5 + 7,) * 2  # every update drew once, captured or not


@needs_cuda
@pytest.mark.parametrize("choice", ["auto", "graph"])
def test_a_run_whose_update_waits_for_the_gpu_cannot_be_captured_and_goes_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, choice: str
) -> None:
    update = Update.__call__

    def waiting(self: Update, drawn: Drawn, losses: Any) -> Terms:
        terms = update(self, drawn, losses)
        terms["loss"].item()
        return terms

    device: dict[str, object] = {"train__device": "cuda", "train__precision": "float32"}
    plain = make_run(**device, train__epochs=10, train__acceleration="off")
    train_run(plain)
    monkeypatch.setattr(Update, "__call__", waiting)
    broken = make_run(**device, train__epochs=10, train__acceleration=choice)
    assert train_run(broken).state == "finished"
    assert "graph failed, so steps run without it" in log_of(broken)
    monkeypatch.undo()
    first, second = (RunReader(path).refresh().curves["train/loss"] for path in (plain, broken))
    torch.testing.assert_close(
        torch.from_numpy(first.means[:12]), torch.from_numpy(second.means[:12]), rtol=1e-3, atol=0
    )
    # The process is sound: a later run captures its graph.
    later = make_run(**device, train__epochs=10, train__acceleration="graph")
    assert train_run(later).state == "finished"
    assert "failed" not in log_of(later)
