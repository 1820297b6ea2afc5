"""Clicks on a list: the first moves the cursor to a line, and a second one there chooses it."""

from __future__ import annotations


class Clicks:
    """Tells which clicks choose a line; of a double click at most one does."""

    def __init__(self) -> None:
        self._chosen = True

    def chooses(self, chain: int, under_cursor: bool) -> bool:
        """Return whether a click on a line chooses it.

        `chain` is its number among clicks in quick succession, from 1.
        """
        if chain == 1:
            self._chosen = under_cursor
            return under_cursor
        first, self._chosen = not self._chosen, True
        return first
