"""The clock around our own steps."""

from __future__ import annotations

import time

import pytest
import torch

from benchmarks import our_steps
from benchmarks.our_steps import WARM_UP, Ours
from tests.training.conftest import SMALL
from tui_latent.config.presets import load_preset


def ours(steps: int, log_every: int) -> Ours:
    changes = SMALL | {"train.log_every": log_every}
    return Ours(load_preset("digits-contrastive-2d", changes | {"stages": []}), steps)


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "log_every"), [(6, 10), (10, 5), (1, 4), (3, 10)])
def test_steps_of_any_number_are_timed(steps: int, log_every: int) -> None:
    """Also where the last step's terms have been read already: no window is left then."""
    timed = ours(steps, log_every)
    assert timed() > 0
    assert timed.loop.done == WARM_UP + steps
    assert timed() > 0


def test_no_step_is_in_flight_when_the_clock_starts_and_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timed, said = ours(5, 10), list[str]()
    step, clock = timed.loop.step, time.perf_counter

    def noted_step() -> dict[str, torch.Tensor]:
        said.append("step")
        return step()

    def noted_clock() -> float:
        said.append("clock")
        return clock()

    monkeypatch.setattr(timed.loop, "step", noted_step)
    monkeypatch.setattr(our_steps, "finish", lambda device: said.append("finish"))
    monkeypatch.setattr(time, "perf_counter", noted_clock)
    timed()
    monkeypatch.undo()
    own = [word for word in said if word != "step"]
    assert own[:2] == ["finish", "clock"] and own[-2:] == ["finish", "clock"]
    assert said[:WARM_UP] == ["step"] * WARM_UP
