"""Tests of the screens."""

from __future__ import annotations

from typing import Any

import pytest
from textual.notifications import Notification
from textual.pilot import Pilot

from tests.waiting import patience

# Textual waits at most 30 s until a screen has handled its messages, also on a busy machine.
Pilot._wait_for_screen.__defaults__ = (patience(),)

_press = Pilot.press


async def _press_one_by_one(pilot: Pilot[Any], *keys: str) -> None:
    """Press each key once the one before is handled.

    Textual sends the next one when the process is idle for a moment, which on a busy machine may be
    before the dialog is there that it answers.
    """
    for key in keys:
        await _press(pilot, key)


Pilot.press = _press_one_by_one  # type: ignore[assignment, method-assign]


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this machine's load out of pictures: it differs every time."""
    load = "tui_latent.tui.screens.dashboard.run_load.RunLoad.load"
    monkeypatch.setattr(load, lambda self, status: None)


@pytest.fixture(autouse=True)
def unexpired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep notices until a test has read them: on a busy machine they would be over by then."""
    monkeypatch.setattr(Notification, "time_left", property(lambda notice: 3600.0))
