"""Which channels of an image are looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_latent.analysis.images import shown

FIVE = np.random.default_rng(0).integers(0, 65536, (3, 5, 4, 6)).astype(np.uint16)


@pytest.mark.parametrize(
    ("there", "asked", "seen"),
    [
        (1, (), [0]),
        (2, (), [0]),
        (3, (), [0, 1, 2]),
        (5, (), [0, 1, 2]),
        (5, (4,), [4]),
        (5, (4, 0, 2), [4, 0, 2]),
        (5, (3, 1), [3, 1, None]),
        (3, (2, 1, 0), [2, 1, 0]),
    ],
)
def test_chosen_channels_are_grey_or_red_green_and_blue(
    there: int, asked: tuple[int, ...], seen: list[int | None]
) -> None:
    images = FIVE[:, :there]
    found = shown(torch.from_numpy(images), asked)
    assert found.shape == (3, 4, 6, len(seen)) and found.dtype == np.uint8
    for place, channel in enumerate(seen):
        plane = 0 * images[:, 0] if channel is None else images[:, channel]
        np.testing.assert_allclose(found[..., place], plane / 257, atol=0.51)


def test_views_of_images_are_shown_as_their_images() -> None:
    pixels = torch.from_numpy(FIVE / 65535).reshape(3, 1, 5, 4, 6)
    np.testing.assert_array_equal(
        shown(pixels, (4, 2, 0))[:, 0], shown(torch.from_numpy(FIVE), (4, 2, 0))
    )
