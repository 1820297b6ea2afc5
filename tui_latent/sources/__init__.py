"""Where images come from: a file per source, found by being in this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tui_latent.sources.base import SOURCES, PublicDataset, Source, public_datasets

__all__ = ["SOURCES", "PublicDataset", "Source", "public_datasets"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
