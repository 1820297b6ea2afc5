"""A key pressed ten times shows one notice."""

from __future__ import annotations

from textual.notifications import Notification

from tui_latent.tui.notices import RATE_TITLE, outdated


def test_the_same_words_and_the_rate_take_the_place_of_earlier_ones() -> None:
    saved = Notification("Saving a checkpoint")
    other = Notification("Deleted a run")
    rate = Notification("lr 1e-3 → 2e-3", RATE_TITLE)
    shown = [saved, other, rate]
    assert outdated(shown, Notification("Saving a checkpoint")) == [saved]
    assert outdated(shown, Notification("lr 2e-3 → 4e-3", RATE_TITLE)) == [rate]
    assert outdated(shown, Notification("Saving a checkpoint", "Failed")) == []
