"""Ways to run an update: what is chosen, what a failing one costs, and that results are equal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training.conftest import SMALL, MakeRun
from tests.training.test_session import assert_same_weights, weights
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Acceleration, Preset
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.start import train_run
from tui_latent.runs.reader import RunReader
from tui_latent.training.acceleration import TIMED, WARM_UP, Accelerator, StepRunner
from tui_latent.training.graph_step import Terms
from tui_latent.training.loop import TrainingLoop

TRIAL = WARM_UP + TIMED
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


class FakeClock:
    """A clock that only ways move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("tui_latent.training.acceleration.time.perf_counter", lambda: self.now)
        monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)


class FakeWay:
    """Takes a set time an update, notes whose rows it saw, and fails from one call on."""

    def __init__(self, name: str, clock: FakeClock, seconds: float, fails_at: int = -1) -> None:
        self.name, self.seen = name, list[int]()
        self._clock, self._seconds, self._left = clock, seconds, fails_at

    def __call__(self, rows: Tensor, lr: float) -> Terms:
        if self._left == 0:
            raise RuntimeError("operation not permitted when stream is capturing\nmore of it")
        self._left -= 1
        self._clock.now += self._seconds
        self.seen.append(int(rows[0]))
        return {"loss": torch.tensor(float(len(self.seen)))}

    def renew(self) -> None:
        self.renewed = True


def on_gpu(
    plain: StepRunner,
    others: dict[str, Callable[[], StepRunner]],
    log: list[str],
    updates: int = 1000,
) -> Accelerator:
    """An accelerator that believes itself on a GPU."""
    return Accelerator(plain, others, "auto", torch.device("cuda", 0), log.append, updates)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    return FakeClock(monkeypatch)


def run(accelerated: Accelerator, updates: int) -> None:
    for step in range(updates):
        accelerated(torch.tensor([step]), 0.1)


def test_the_fastest_way_is_kept_and_its_gain_is_logged(clock: FakeClock) -> None:
    plain, graph = FakeWay("plain", clock, 0.008), FakeWay("graph", clock, 0.002)
    log: list[str] = []
    run(on_gpu(plain, {"graph": lambda: graph}, log), 2 * TRIAL + 3)
    assert plain.seen == list(range(TRIAL))
    assert graph.seen == list(range(TRIAL, 2 * TRIAL + 3))
    assert log == [
        "acceleration: graph, 4.0 times as fast (plain 8 ms per step, graph 2 ms per step)"
    ]


def test_a_way_that_gains_nothing_is_left(clock: FakeClock) -> None:
    plain, graph = FakeWay("plain", clock, 0.1), FakeWay("graph", clock, 0.099)
    log: list[str] = []
    run(on_gpu(plain, {"graph": lambda: graph}, log), 2 * TRIAL + 3)
    assert plain.seen[-3:] == [2 * TRIAL, 2 * TRIAL + 1, 2 * TRIAL + 2]
    assert log == ["acceleration: none (plain 100 ms per step, graph 99 ms per step)"]


@pytest.mark.parametrize(("updates", "compiles"), [(1000, False), (100_000, True)])
def test_compiling_is_tried_only_where_the_run_is_long(
    clock: FakeClock, updates: int, compiles: bool
) -> None:
    plain, compiled = FakeWay("plain", clock, 0.01), FakeWay("compile", clock, 0.001)
    graph = FakeWay("graph", clock, 0.02)
    log: list[str] = []
    others: dict[str, Callable[[], StepRunner]] = {
        "compile": lambda: compiled,
        "graph": lambda: graph,
    }
    run(on_gpu(plain, others, log, updates), 4 * TRIAL)
    assert bool(compiled.seen) == compiles
    assert (compiled.seen[-1:] == [4 * TRIAL - 1]) == compiles


@pytest.mark.parametrize("fails_at", [0, 3, TRIAL + 2])
def test_a_way_that_fails_costs_no_update(clock: FakeClock, fails_at: int) -> None:
    plain = FakeWay("plain", clock, 0.008)
    graph = FakeWay("graph", clock, 0.002, fails_at)
    log: list[str] = []
    run(on_gpu(plain, {"graph": lambda: graph}, log), 3 * TRIAL)
    assert sorted(plain.seen + graph.seen) == list(range(3 * TRIAL))
    assert len(graph.seen) == fails_at
    assert (
        "acceleration: graph failed, so steps run without it: "
        "operation not permitted when stream is capturing" in log
    )


def test_what_is_wrong_with_the_update_itself_is_not_hidden(clock: FakeClock) -> None:
    plain = FakeWay("plain", clock, 0.1, fails_at=2)
    with pytest.raises(RuntimeError, match="capturing"):
        run(on_gpu(plain, {}, []), 3)


def test_a_way_that_cannot_be_made_is_reported(clock: FakeClock) -> None:
    def unmade() -> StepRunner:
        raise RuntimeError("no compiler")

    plain, log = FakeWay("plain", clock, 10.0), list[str]()
    run(on_gpu(plain, {"compile": unmade, "graph": unmade}, log), TRIAL + 2)
    assert len(plain.seen) == TRIAL + 2
    assert log[0] == "acceleration: compile failed, so steps run without it: no compiler"


def log_of(path: Any) -> str:
    return "\n".join(RunReader(path).refresh().log)


@pytest.mark.parametrize("choice", ["auto", "off", "graph"])
def test_on_a_cpu_steps_are_plain_and_the_weights_the_same(
    make_run: MakeRun, choice: Acceleration
) -> None:
    plain, other = make_run(train__acceleration="off"), make_run(train__acceleration=choice)
    for path in (plain, other):
        assert train_run(path).state == "finished"
    assert_same_weights(plain, other)
    assert ("needs a GPU" in log_of(other)) == (choice == "graph")


def test_compiled_losses_are_the_losses(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, compiled = make_run(), make_run(train__acceleration="compile")
    train_run(plain)
    # Traces as any backend does, without a compiler's half minute.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    assert train_run(compiled).state == "finished"
    assert "acceleration: compile, as set by train.acceleration" in log_of(compiled)
    assert "failed" not in log_of(compiled)
    one, other = weights(plain), weights(compiled)
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=1e-3, atol=1e-4)


def test_a_run_whose_compiler_fails_goes_on_without(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, compiled = make_run(), make_run(train__acceleration="compile")
    train_run(plain)

    def broken(*arguments: Any, **options: Any) -> Any:
        def fails(*arguments: Any) -> Any:
            raise RuntimeError("InvalidCxxCompiler: no compiler is here")

        return fails

    monkeypatch.setattr(torch, "compile", broken)
    status = train_run(compiled)
    assert (status.state, status.step) == ("finished", 12)
    assert "compile failed, so steps run without it: InvalidCxxCompiler" in log_of(compiled)


GPUS = [f"cuda:{index}" for index in range(torch.cuda.device_count())][:2] or ["cuda:0"]
COMPARED: dict[str, object] = {"train.epochs": 10, "train.warmup_epochs": 3}
"""a rate that differs from step to step"""
STEPS = 12
"""within these, roundings have not grown to a thousandth"""


def compared(**changes: object) -> Preset:
    overrides = SMALL | COMPARED | {k.replace("__", "."): v for k, v in changes.items()}
    return load_preset("digits-contrastive-2d", overrides | {"stages": []})


def losses_and_state(
    preset: Preset,
    steps: int,
    spoil: Callable[[TrainingLoop], None] = lambda _: None,
    log: Callable[[str], None] = lambda _: None,
) -> tuple[Tensor, Tensor]:
    """Return the loss of each step, and the state of the generator of the views after them."""
    dataset = load_dataset(preset.data, preset.train.seed)
    loop = TrainingLoop(preset, dataset, torch.device(preset.train.device), log=log)
    losses = []
    for _ in range(steps):
        spoil(loop)
        losses.append(loop.step()["loss"].clone())
    return torch.stack(losses).cpu(), loop.generator.get_state()


def assert_trained_alike(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(one[0][:STEPS], other[0][:STEPS], rtol=1e-3, atol=0)
    assert torch.equal(one[1], other[1])


@needs_cuda
@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("device", GPUS)
def test_a_graph_trains_as_plain_steps_do(device: str, thread: bool) -> None:
    """The graph replays the plain kernels on the same draws: losses agree step by step."""
    found: dict[str, tuple[Tensor, Tensor]] = {}
    log: list[str] = []

    def train() -> None:
        for choice in ("off", "graph"):
            preset = compared(
                train__device=device, train__acceleration=choice, train__precision="float32"
            )
            found[choice] = losses_and_state(preset, 40, log=log.append)

    if thread:
        worker = threading.Thread(target=train)
        worker.start()
        worker.join()
    else:
        train()
    assert not any("failed" in line for line in log)
    assert_trained_alike(found["off"], found["graph"])


def views_stand_still(loop: TrainingLoop) -> None:
    """As a graph replays whose generator is not registered."""
    if loop.done >= 4:
        loop.generator.set_state(torch.Generator().manual_seed(1).get_state())


def rows_stand_still(loop: TrainingLoop) -> None:
    """As a graph replays whose rows are not copied into its buffer."""
    rows = loop.sampler.rows(4)
    if loop.done == 4:
        loop.sampler.rows = lambda step: rows  # type: ignore[method-assign]


def the_rate_stands_still(loop: TrainingLoop) -> None:
    """As a graph replays whose rate is not copied into its buffer."""
    if loop.done != 4:
        return
    plain, kept = loop.accelerated, loop.optimizer.param_groups[0]["lr"]

    def stale(rows: Tensor, lr: float) -> Terms:
        for group in loop.optimizer.param_groups:
            group["lr"] = kept
        return plain(rows, lr)

    loop._accelerated = stale  # type: ignore[assignment]


@pytest.mark.parametrize("spoil", [views_stand_still, rows_stand_still, the_rate_stands_still])
def test_the_comparison_sees_a_graph_that_replays_stale_inputs(
    spoil: Callable[[TrainingLoop], None],
) -> None:
    preset = compared(train__lr=0.01)  # high enough for a wrong rate to be seen
    plain = losses_and_state(preset, STEPS)
    with pytest.raises(AssertionError):
        assert_trained_alike(plain, losses_and_state(preset, STEPS, spoil))


@needs_cuda
@pytest.mark.parametrize("device", GPUS)
def test_auto_tells_what_it_chose(make_run: MakeRun, device: str) -> None:
    path = make_run(train__device=device, train__epochs=20)
    assert train_run(path).state == "finished"
    assert "acceleration: " in log_of(path)
    assert "failed" not in log_of(path)
