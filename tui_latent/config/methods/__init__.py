"""The methods that presets can ask for: a file each in this folder, and those of plugins.

`methods/<name>.py` beside `config/` holds the networks and losses of the same method.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tui_latent.config.methods.base import (
    METHOD_SETTINGS,
    EarlierRun,
    MethodSettings,
    NetworkSettings,
    method_class,
    method_settings,
    parse_method,
)
from tui_latent.plugins.loading import load_installed
from tui_latent.plugins.registry import our_own

__all__ = [
    "METHOD_SETTINGS",
    "EarlierRun",
    "MethodSettings",
    "NetworkSettings",
    "method_class",
    "method_settings",
    "parse_method",
]

with our_own():
    for _module in iter_modules(__path__):
        import_module(f"{__name__}.{_module.name}")
load_installed()
