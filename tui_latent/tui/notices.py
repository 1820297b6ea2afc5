"""Which notices a new one replaces, so that a key pressed ten times shows one notice, and where
their longest words may break."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.notifications import Notification

from tui_latent.tui.wrapping import break_words

WIDTH: Final = 60
"""cells of a notice, if the terminal has room"""
SHARE: Final = 0.9
"""of the terminal's width that a notice may take"""
MENU_SHARE: Final = 0.5
"""of the terminal's width that a notice may take over the menu: the list of presets has as much"""
LOW: Final = 30
"""lines of a terminal below which a notice has no empty lines of its own"""
CSS: Final = f"""
Toast {{ width: {WIDTH}; max-width: {100 * SHARE:.0f}%; }}
Screen.-low Toast {{ padding: 0 1; }}
MenuScreen Toast {{ max-width: {100 * MENU_SHARE:.0f}%; }}
MenuScreen.-runs ToastRack {{ dock: top; margin: 1 0 0 0; }}
MenuScreen.-runs ToastHolder {{ align-horizontal: left; }}
"""
"""Textual gives a notice half of the screen, which is less than a run's name at 80 columns. Over
the menu it is on the half that is not used: on the presets while the focus is on the runs"""
_EDGES: Final = 3
"""cells of a notice beside its text"""
RATE_TITLE: Final = "Learning rate"
ELSEWHERE: Final = "Not here"
"""title of notices of keys that work somewhere else"""
NO_CHANGE: Final = "Nothing changes"
"""title of notices of keys that have nothing to change, or nothing more"""
_LATEST_ONLY: Final = frozenset({RATE_TITLE, ELSEWHERE, NO_CHANGE})
"""titles of notices of which only the newest matters"""


def outdated(shown: Iterable[Notification], new: Notification) -> list[Notification]:
    """Return the notices that a new one repeats or supersedes."""
    return [
        each
        for each in shown
        if each.title == new.title and (each.message == new.message or new.title in _LATEST_ONLY)
    ]


def breakable(text: str, columns: int, share: float = SHARE) -> str:
    """Return a text with line breaks in words that are longer than a notice's line.

    Names of runs and paths break after `/`, `-`, `_` and `.`; Textual would break them anywhere.
    `columns` is the terminal's width, `share` what a notice may take of it.
    """
    return break_words(text, min(WIDTH, int(share * columns)) - _EDGES)
