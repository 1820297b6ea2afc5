from __future__ import annotations

import pytest
import torch

from tui_latent.training.window import NotFiniteError, TermWindow


def test_means_are_over_the_steps_since_the_last_record() -> None:
    window = TermWindow()
    for value in (1.0, 2.0, 6.0):
        window.add({"loss": torch.tensor(value), "norm": torch.tensor(-value)})
    assert window.means(step=3) == pytest.approx({"loss": 3.0, "norm": -3.0})
    assert len(window) == 0
    window.add({"loss": torch.tensor(5.0)})
    assert window.means(step=4) == {"loss": 5.0}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_named_with_its_term_and_step(bad: float) -> None:
    window = TermWindow()
    for value in (1.0, 1.0, bad, 1.0):
        window.add({"loss": torch.tensor(1.0), "kl": torch.tensor(value)})
    with pytest.raises(NotFiniteError, match=r"kl became .* at step 103") as caught:
        window.means(step=104)
    assert (caught.value.term, caught.value.step) == ("kl", 103)
