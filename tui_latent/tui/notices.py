"""Which notices a new one replaces, so that a key pressed ten times shows one notice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.notifications import Notification

RATE_TITLE: Final = "Learning rate"
_LATEST_ONLY: Final = frozenset({RATE_TITLE})
"""titles of notices of which only the newest matters"""


def outdated(shown: Iterable[Notification], new: Notification) -> list[Notification]:
    """Return the notices that a new one repeats or supersedes."""
    return [
        each
        for each in shown
        if each.title == new.title and (each.message == new.message or new.title in _LATEST_ONLY)
    ]
