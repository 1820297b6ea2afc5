"""Methods of learning a latent space: a file each, imported when it is first trained or read."""

from __future__ import annotations

from tui_latent.methods.method import METHODS, Method

__all__ = ["METHODS", "Method"]
