"""Classes and functions named by text, so that torch is imported only when they are used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from tui_latent.plugins.loading import plugin_trouble
from tui_latent.plugins.registry import PluginError


def find(reference: str, beside: str) -> Any:
    """Return what `module:name` names; `:name` is in the module called `beside`.

    PluginError when it is not there, or its module cannot be imported.
    """
    module_name, colon, name = reference.partition(":")
    if not colon or not name.isidentifier():
        raise PluginError(f"'{reference}' names no class: write it as module:Name, or :Name")
    try:
        module = import_module(module_name) if module_name else sys.modules[beside]
    except Exception as error:  # whatever the plugin's code raises
        raise PluginError(f"'{reference}': {plugin_trouble(error, None)}") from error
    if not hasattr(module, name):
        place = getattr(module, "__file__", "") or module.__name__
        raise PluginError(f"{place}: there is no '{name}', which it names as {reference}")
    return getattr(module, name)
