"""The name under which a run's events record who requested something."""

from __future__ import annotations

import getpass
from functools import cache

from tui_latent.runs.process import HOST
from tui_latent.runtime.sanitize import plain_name


@cache
def author() -> str:
    """Return user@host, or the host alone if the system has no name for the user."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without an entry for the user
        return plain_name(HOST)
    return plain_name(f"{user}@{HOST}")
