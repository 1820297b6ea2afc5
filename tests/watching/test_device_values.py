"""Numbers that are still on a device: order, copies, one transfer."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tui_latent.watching.device_values import DeviceValues
from tui_latent.watching.waiting_records import WaitingRecord, WaitingRecords

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    ),
]


def record(step: int, *values: object) -> WaitingRecord:
    names = [f"train/{number}" for number in range(len(values))]
    return WaitingRecord(step, 0.0, 0.0, names, values, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_arrive_in_order_as_they_were(device: str) -> None:
    came: list[WaitingRecord] = []
    values = DeviceValues(came.append)
    in_place = torch.zeros((), device=device)
    for step in range(200):
        if step % 3:
            in_place += 1  # the loop goes on at once
            half = torch.tensor(step, device=device, dtype=torch.bfloat16)
            values.add(record(step, 0.5, in_place, half.requires_grad_()))
        else:
            values.add(record(step, 0.5))
    assert values
    values.flush()
    assert not values
    assert [each.step for each in came] == list(range(200))
    added = 0
    for each in came:
        if each.step % 3:
            added += 1
            rounded = torch.tensor(each.step, dtype=torch.bfloat16).item()
            assert list(each.values) == [0.5, added, rounded]
        else:
            assert list(each.values) == [0.5]


def test_a_record_does_not_keep_the_graph_of_its_loss() -> None:
    import weakref

    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, weight: Any) -> Any:
            return weight.sum()

        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:
            return gradient

    values = DeviceValues(lambda _: None)
    loss = Doubled.apply(torch.ones(1000, requires_grad=True))
    node = weakref.ref(loss.grad_fn)
    values.add(record(0, loss))
    del loss
    assert node() is None


def test_the_oldest_make_room_and_are_counted() -> None:
    waiting = WaitingRecords(most_values=30)
    for step in range(100):
        waiting.put(record(step, 1.0, 2.0))
    assert waiting.dropped == 90
    taken = waiting.take(1000)
    assert [each.step for each in taken] == list(range(90, 100))
    waiting.put(record(100, 1.0))
    assert waiting.dropped == 90
    assert [each.step for each in waiting.take(1000)] == [100]
