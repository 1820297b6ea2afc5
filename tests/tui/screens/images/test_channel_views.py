"""The order of the channels in the viewer, and what is said of them."""

from __future__ import annotations

import pytest

from tui_latent.tui.screens.images.channel_views import has_choice, next_channels, words_of


def test_each_channel_comes_once_and_the_preset_after_the_last() -> None:
    shown, seen = None, []
    for _ in range(6):
        shown = next_channels(shown, 5)
        seen.append(shown)
    assert seen == [(0,), (1,), (2,), (3,), (4,), None]


@pytest.mark.parametrize(
    ("count", "offered"), [(0, False), (1, False), (2, True), (3, False), (5, True)]
)
def test_channels_are_offered_where_a_picture_hides_some(count: int, offered: bool) -> None:
    assert has_choice(count) is offered


@pytest.mark.parametrize(
    ("shown", "count", "preset", "words"),
    [
        (None, 5, (), "channels 0, 1, 2 of 0–4, as red, green, blue"),
        (None, 5, (4, 1, 0), "channels 4, 1, 0 of 0–4, as red, green, blue"),
        (None, 5, (3, 1), "channels 3, 1 of 0–4, as red and green"),
        (None, 5, (3,), "channel 3 of 0–4, as grey"),
        (None, 2, (), "channel 0 of 0–1, as grey"),
        ((3,), 5, (), "channel 3 of 0–4, as grey"),
    ],
)
def test_the_channels_are_named(
    shown: tuple[int, ...] | None, count: int, preset: tuple[int, ...], words: str
) -> None:
    assert words_of(shown, count, preset) == words
