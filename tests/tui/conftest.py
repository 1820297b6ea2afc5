"""Tests of the screens."""

from __future__ import annotations

import pytest
from textual.notifications import Notification
from textual.pilot import Pilot

from tests.waiting import patience

# Textual waits at most 30 s until a screen has handled its messages, also on a busy machine.
Pilot._wait_for_screen.__defaults__ = (patience(),)


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this machine's load out of pictures: it differs every time."""
    load = "tui_latent.tui.screens.dashboard.run_load.RunLoad.load"
    monkeypatch.setattr(load, lambda self, status: None)


@pytest.fixture(autouse=True)
def unexpired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep notices until a test has read them: on a busy machine they would be over by then."""
    monkeypatch.setattr(Notification, "time_left", property(lambda notice: 3600.0))
