"""Methods of learning a latent space: a file each, found by being in this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tui_latent.methods.method import METHODS, Method

__all__ = ["METHODS", "Method"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
