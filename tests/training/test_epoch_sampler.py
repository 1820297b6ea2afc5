from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_latent.training.epoch_sampler import EpochSampler

CPU = torch.device("cpu")


@settings(max_examples=40, deadline=None)
@given(images=st.integers(1, 200), batch=st.integers(1, 250), seed=st.integers(0, 2**31 - 1))
def test_an_epoch_shows_no_image_twice_and_leaves_out_less_than_a_batch(
    images: int, batch: int, seed: int
) -> None:
    order = EpochSampler(images, batch, seed, CPU)
    rows = torch.cat([order.rows(step) for step in range(order.steps_per_epoch)])
    assert len(set(rows.tolist())) == len(rows)
    assert 0 <= images - len(rows) < order.batch_size
    assert rows.min() >= 0 and rows.max() < images


def test_any_step_can_be_asked_for_again_without_those_before_it() -> None:
    order = EpochSampler(100, 16, 3, CPU)
    seen = [order.rows(step) for step in range(20)]
    again = EpochSampler(100, 16, 3, CPU)
    for step in (19, 0, 7, 12):
        assert torch.equal(again.rows(step), seen[step])


def test_epochs_and_seeds_differ() -> None:
    order = EpochSampler(100, 100, 0, CPU)
    assert not torch.equal(order.rows(0), order.rows(1))
    assert not torch.equal(order.rows(0), EpochSampler(100, 100, 1, CPU).rows(0))
