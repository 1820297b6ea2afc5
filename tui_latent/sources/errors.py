"""The error that sources and datasets raise."""

from __future__ import annotations

from tui_latent.runtime.sanitize import plain_text


class DataError(Exception):
    """Images that cannot be used; the message names the place, the problem and the remedy."""

    def __init__(self, message: str) -> None:
        """Replace characters that a screen cannot show, for example in file names."""
        super().__init__(plain_text(message))
