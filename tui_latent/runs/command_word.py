"""The word by which a command that a message suggests finds a run."""

from __future__ import annotations

import shlex
from pathlib import Path


def command_word(run: Path) -> str:
    """Return the path of a run as a shell takes it.

    Its name alone is found only in the folder of runs that is listed by default, not in a sweep.
    """
    return shlex.quote(str(run))
