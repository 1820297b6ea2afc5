"""Plugins that tests write and load; they are taken away afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_latent.plugins.loading import load_file, unload_file
from tui_latent.plugins.registry import Plugin

EXAMPLES = Path(__file__).parents[2] / "examples"
Load = Callable[[Path], Plugin]


@pytest.fixture
def load() -> Iterator[Load]:
    """Return a function that loads a plugin until the end of the test."""
    loaded: list[Plugin] = []

    def add(path: Path) -> Plugin:
        loaded.append(load_file(str(path)))
        return loaded[-1]

    yield add
    for plugin in loaded:
        unload_file(plugin)
