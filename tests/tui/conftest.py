"""Tests of the screens."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.waiting import patience

# Textual waits at most 30 s until a screen has handled its messages, also on a busy machine.
Pilot._wait_for_screen.__defaults__ = (patience(),)


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this machine's load out of pictures: it differs every time."""
    load = "tui_latent.tui.screens.dashboard.run_load.RunLoad.load"
    monkeypatch.setattr(load, lambda self, status: None)
