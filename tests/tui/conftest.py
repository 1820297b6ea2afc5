"""Tests of the screens."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.waiting import patience

# Textual waits at most 30 s until a screen has handled its messages, also on a busy machine.
Pilot._wait_for_screen.__defaults__ = (patience(),)
