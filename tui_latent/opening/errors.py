"""What goes wrong when vectors are opened."""

from __future__ import annotations

from tui_latent.runtime.sanitize import plain_text


class OpenError(Exception):
    """A file that cannot be opened; the message says which, why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(plain_text(message))
