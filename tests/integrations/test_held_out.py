"""Which of a module's outputs are its latents, and which part of a batch its labels."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tui_latent.integrations.held_out import labels_in, latents_in

Z = torch.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "output",
    [
        Z,
        (Z, Z + 1),
        [Z],
        {"logits": Z + 1, "embedding": Z},
        {"loss": torch.tensor(1.0), "scores": Z},
        Z[:, :, None, None],
        (torch.zeros(4, dtype=torch.int64), Z),
    ],
    ids=["tensor", "pair", "list", "named", "unnamed", "pooled", "with classes"],
)
def test_latents_are_found_in_what_a_module_returns(output: Any) -> None:
    assert torch.equal(latents_in(output), Z)


@pytest.mark.parametrize(
    "output", [None, Z[:, 0], Z[:, :, None, None].expand(4, 3, 2, 2), {}, Z.long()],
    ids=["nothing", "numbers", "feature maps", "empty", "whole numbers"],
)  # fmt: skip
def test_what_has_no_row_of_numbers_for_each_image_is_refused(output: Any) -> None:
    with pytest.raises(TypeError, match=r"latents have the shape \(N, D\)"):
        latents_in(output)


def test_labels_are_found_in_batches_of_any_kind() -> None:
    labels = torch.arange(4)
    assert labels_in((Z, labels)) is labels
    assert labels_in({"image": Z, "target": labels}) is labels
    assert labels_in({"image": Z}) is None
    assert labels_in((Z,)) is None and labels_in(Z) is None
