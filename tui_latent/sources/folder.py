"""A folder of your own with a folder of images per class."""

from __future__ import annotations

from tui_latent.sources.base import Source, register

register(Source(name="folder", heading="Your own folder", needs_path=True, skips_corrupt=True))
