"""Where images come from: a file per source, found by being in this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tui_latent.plugins.registry import our_own
from tui_latent.sources.base import SOURCES, OwnSource, PublicDataset, Source, public_datasets

__all__ = ["SOURCES", "OwnSource", "PublicDataset", "Source", "public_datasets"]

with our_own():
    for _module in iter_modules(__path__):
        import_module(f"{__name__}.{_module.name}")
