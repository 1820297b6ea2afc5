"""Who asks something of a run, as its events name them."""

from __future__ import annotations

import getpass
from functools import cache

from tui_latent.runs.process import HOST
from tui_latent.runtime.sanitize import plain_name


@cache
def author() -> str:
    """Return user@host; the host alone where the system knows no name for the user."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # as in a container whose user has no entry
        return plain_name(HOST)
    return plain_name(f"{user}@{HOST}")
