from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.training.conftest import MakeRun
from tests.training.test_going_on import assert_same_curves
from tests.training.test_session import assert_same_weights, stop_at
from tui_latent.launch.start import train_run
from tui_latent.training import recorder
from tui_latent.training.loss_window import LossWindow, NotFiniteError


def test_means_are_over_the_steps_since_the_last_record() -> None:
    window = LossWindow()
    for value in (1.0, 2.0, 6.0):
        window.add({"loss": torch.tensor(value), "norm": torch.tensor(-value)})
    assert window.means(step=3) == pytest.approx({"loss": 3.0, "norm": -3.0})
    assert len(window) == 0
    window.add({"loss": torch.tensor(5.0)})
    assert window.means(step=4) == {"loss": 5.0}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_named_with_its_term_and_step(bad: float) -> None:
    window = LossWindow()
    for value in (1.0, 1.0, bad, 1.0):
        window.add({"loss": torch.tensor(1.0), "kl": torch.tensor(value)})
    with pytest.raises(NotFiniteError, match=r"kl became .* at step 103") as caught:
        window.means(step=104)
    assert (caught.value.term, caught.value.step) == ("kl", 103)


def closed(window: LossWindow, step: int, *values: float) -> None:
    for value in values:
        window.add({"loss": torch.tensor(value)})
    window.close(step, {"train/lr": step / 10}, seconds=float(step))


def steps_read(window: LossWindow, wait: bool) -> list[tuple[int, float]]:
    return [(window.step, means["loss"]) for window, means in window.read(wait)]


def test_a_late_window_is_read_when_the_next_one_is_closed() -> None:
    window = LossWindow(late=True)
    closed(window, 2, 1.0, 3.0)
    assert steps_read(window, wait=False) == []
    closed(window, 4, 5.0, 7.0)
    assert steps_read(window, wait=False) == [(2, 2.0)]
    closed(window, 5, 9.0)
    assert steps_read(window, wait=True) == [(4, 6.0), (5, 9.0)]
    assert steps_read(window, wait=True) == []


def test_on_a_cpu_a_window_is_read_at_once() -> None:
    window = LossWindow()
    closed(window, 2, 1.0, 3.0)
    assert steps_read(window, wait=False) == [(2, 2.0)]


def test_a_late_window_names_the_very_step_that_broke() -> None:
    window = LossWindow(late=True)
    closed(window, 3, 1.0, float("nan"), 1.0)
    closed(window, 6, float("inf"), 1.0, 1.0)
    with pytest.raises(NotFiniteError) as caught:
        list(window.read(wait=False))
    assert (caught.value.term, caught.value.step) == ("loss", 2)


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(), (2, 3, 7)])
def test_late_reading_changes_no_curve_and_no_weight(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, stops: tuple[int, ...]
) -> None:
    rare: dict[str, Any] = {"train__log_every": 2, "train__eval_every": 3}
    at_once, late = make_run(**rare), make_run(**rare)
    train_run(at_once)
    for step in (*stops, None):
        monkeypatch.setattr(recorder, "LossWindow", lambda late, mean: LossWindow(True, mean))
        if step is not None:
            stop_at(monkeypatch, late, step)
        train_run(late)
        monkeypatch.undo()
    assert_same_curves(at_once, late)
    assert_same_weights(at_once, late)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_adding_and_closing_windows_on_a_gpu_never_waits_for_it() -> None:
    window = LossWindow(late=True)
    value = torch.ones((), device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(1, 41):
            window.add({"loss": value * step})
            if step % 10 == 0:
                window.close(step, {}, 0.0)
                assert len(list(window.read(wait=False))) == (step > 10)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert steps_read(window, wait=True) == [(40, 35.5)]
