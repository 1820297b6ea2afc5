"""Completes paths that are typed into a field; the right arrow key takes the suggestion."""

from __future__ import annotations

import asyncio
import os
from itertools import islice
from pathlib import Path
from typing import Final

from textual.suggester import Suggester

_LOOKED_AT: Final = 5000
"""entries of a folder among which a name is looked for"""


class PathSuggester(Suggester):
    """Suggests the first entry of a folder whose name begins with what was typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return a path that begins with `value`; a folder ends with a slash."""
        return await asyncio.to_thread(completed_path, value)


def completed_path(typed: str) -> str | None:
    """Return the first path that begins with a text; None if there is none."""
    folder, slash, start = typed.rpartition("/")
    try:
        place = Path(f"{folder}{slash}" or ".").expanduser()
        with os.scandir(place) as entries:
            names = [
                f"{entry.name}{'/' if entry.is_dir() else ''}"
                for entry in islice(entries, _LOOKED_AT)
                if entry.name.startswith(start) and (start or not entry.name.startswith("."))
            ]
    except (OSError, RuntimeError, ValueError):  # no such folder, no such user, no path
        return None
    return f"{folder}{slash}{min(names)}" if typed and names else None
