"""What the threads of the evaluation's screen tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from tui_latent.runs.schema import RunSnapshot
from tui_latent.verdict import Verdict


class Cancelled(Exception):
    """The evaluation was cancelled by the user."""


@dataclass
class ProgressReported(Message, bubble=False):
    """The part that is being computed now."""

    words: str


@dataclass
class Ended(Message, bubble=False):
    """An evaluation has ended."""

    found: Mapping[str, Any] | None
    words: str = ""
    """why there are no results; empty if there are"""
    verdict: Verdict | None = None


@dataclass
class Opened(Message, bubble=False):
    """The run folder has been read."""

    found: Mapping[str, Any] | None
    newest: int | None
    """step of the newest map"""
    verdict: Verdict | None
    snapshot: RunSnapshot
