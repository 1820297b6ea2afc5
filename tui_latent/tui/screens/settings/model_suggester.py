"""Completes the name of a published network while it is typed."""

from __future__ import annotations

import asyncio

from textual.suggester import Suggester

from tui_latent.config.feature_models import PREFIXES
from tui_latent.datasets.model_names import known_models


class ModelSuggester(Suggester):
    """Suggests the first name of timm's or open_clip's that begins with what is written."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole value; None where nothing is to be completed."""
        library, _, start = value.partition(":")
        if not start or f"{library}:" not in PREFIXES:
            return None
        # The first call reads the files of the library, which takes 0.2 s.
        names = await asyncio.to_thread(known_models, library)
        found = next((name for name in names if name.startswith(start)), None)
        return f"{library}:{found}" if found else None
