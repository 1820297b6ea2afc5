"""Registries of methods, networks and sources: ours and those of plugins enter by one door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

Kind = Literal["method", "network", "source"]
Part = tuple[Kind, str]
"""kind and name of something that a plugin adds"""
Value = TypeVar("Value")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


class PluginError(Exception):
    """A plugin that cannot be used; the message says where, what and what to do."""


class NameTakenError(PluginError):
    """A name that something else has already."""

    def __init__(self, taken: str, owner: str) -> None:
        super().__init__(f"{taken}: choose another name")
        self.taken = taken
        self.owner = owner
        """the plugin that has the name; empty if tui-latent has it"""


@dataclass(eq=False)
class Plugin:
    """Where methods, networks and sources that are not ours come from."""

    name: str
    """name of the file without `.py`, or of the installed package"""
    file: str = ""
    """absolute path; empty for an installed package"""
    sha256: str = ""
    """of the file's content as it was executed"""
    version: str = ""
    """of the installed package"""
    parts: list[Part] = field(default_factory=list)
    """what it has added"""

    def describe(self) -> str:
        """Return the file, or the package with its version."""
        return self.file or f"{self.name} {self.version}".rstrip()


class Registry(dict[str, Value]):
    """What can be named in a preset, by name; remembers which plugin has added what."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind: Kind = kind
        REGISTRIES[kind] = self

    def add(self, name: str, value: Value) -> None:
        """Add something; PluginError when its name is not allowed, or taken."""
        if not _NAME.fullmatch(name):
            raise PluginError(
                f"'{name}' cannot name a {self.kind}: use up to 50 letters, digits, '.', '_' and "
                "'-', beginning with a letter or digit"
            )
        if name in self:
            owner = plugin_of(self.kind, name)
            whose = f"from {owner.describe()}" if owner else "that comes with tui-latent"
            taken = f"there is a {self.kind} '{name}' {whose}"
            raise NameTakenError(taken, owner.describe() if owner else "")
        self[name] = value
        if _loading and (plugin := _loading[-1]) is not None:
            plugin.parts.append((self.kind, name))
            _OWNERS[self.kind, name] = plugin


REGISTRIES: Final[dict[Kind, Registry[Any]]] = {}
_OWNERS: Final[dict[Part, Plugin]] = {}
_loading: Final[list[Plugin | None]] = []
"""what is being imported, innermost last; None is our own code"""


def plugin_of(kind: Kind, name: str) -> Plugin | None:
    """Return the plugin that has added something; None if it is ours or unknown."""
    return _OWNERS.get((kind, name))


@contextmanager
def loading(plugin: Plugin) -> Iterator[None]:
    """Credit what is added in this context to a plugin; an exception takes it back."""
    _loading.append(plugin)
    try:
        yield
    except BaseException:
        take_back(plugin)
        raise
    finally:
        _loading.pop()


@contextmanager
def our_own() -> Iterator[None]:
    """Credit what is added in this context to no plugin, even if one is the first to import it."""
    _loading.append(None)
    try:
        yield
    finally:
        _loading.pop()


def take_back(plugin: Plugin) -> None:
    """Remove everything that a plugin has added."""
    for kind, name in plugin.parts:
        REGISTRIES[kind].pop(name, None)
        _OWNERS.pop((kind, name), None)
    plugin.parts.clear()
