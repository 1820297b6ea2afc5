"""Execute plugins: a file that was named, and the packages that are installed."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_latent.plugins.registry import NameTakenError, Plugin, PluginError, loading, take_back
from tui_latent.runtime.regular_files import SizeError, read_small

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS: Final = ("tui_latent.methods", "tui_latent.networks", "tui_latent.sources")
"""groups of entry points by which an installed package names the modules to import"""

_files: Final[dict[str, Plugin]] = {}
"""plugins loaded from files, by path without links"""
_installed: Final[list[Plugin]] = []
_failed: Final[dict[str, str]] = {}
_told: Final[set[str]] = set()
"""failed packages that a person has been told of"""
_searched = False


def load_file(text: str) -> Plugin:
    """Execute a plugin's file, once in each process; PluginError says what is wrong with it.

    Its folder is put at the end of `sys.path`, so that it can import files beside it.
    """
    from importlib.machinery import ModuleSpec
    from importlib.util import module_from_spec

    path, content = _read(text)
    key = str(path.resolve())
    if key in _files:
        return _files[key]
    plugin = Plugin(path.stem, str(path), _digest(content))
    module = module_from_spec(ModuleSpec(f"tui_latent_plugin_{_digest(key.encode())[:16]}", None))
    module.__file__ = str(path)
    if (folder := str(path.parent)) not in sys.path:
        sys.path.append(folder)
    sys.modules[module.__name__] = module
    try:
        with loading(plugin):
            # Compiled from what was hashed: a cached .pyc could be of another version.
            exec(compile(content, str(path), "exec"), module.__dict__)
            if not plugin.parts:
                raise PluginError(f"{path}: {_ADDS_NOTHING}")
    except BaseException as error:
        del sys.modules[module.__name__]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise PluginError(plugin_trouble(error, path)) from error
    _files[key] = plugin
    return plugin


_ADDS_NOTHING: Final = (
    "adds no method, network or source: put @register before the settings of a method, or call "
    "register(…) with a network or a source"
)


def load_installed() -> None:
    """Import the plugins of all installed packages, once in each process.

    One that fails hides no other: `failed_packages` says why.
    """
    global _searched
    if _searched:
        return
    _searched = True
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    versions: dict[str, str] = {}
    for group in GROUPS:
        for entry in entry_points(group=group):
            package = entry.dist.name if entry.dist else entry.value.partition(".")[0]
            versions[package] = entry.dist.version if entry.dist else ""
            found.setdefault(package, []).append(entry)
    for package, entries in sorted(found.items()):
        plugin = Plugin(package, version=versions[package])
        try:
            with loading(plugin):
                for entry in entries:
                    _load_entry(entry)
                if not plugin.parts:
                    raise PluginError(f"it {_ADDS_NOTHING}")
        except (Exception, SystemExit) as error:  # whatever its code raises
            _failed[package] = plugin_trouble(error, None)
        else:
            _installed.append(plugin)


def _load_entry(entry: EntryPoint) -> None:
    """Import what an entry point names; PluginError if the package has no such module or name."""
    try:
        entry.load()
    except NameTakenError as error:
        remedy = f"uninstall {error.owner}, or this one" if error.owner else "uninstall it"
        raise PluginError(f"{error.taken}: {remedy}") from error
    except ModuleNotFoundError as error:
        if error.name is None or not f"{entry.module}.".startswith(f"{error.name}."):
            raise  # an import of the package's own code fails
        raise PluginError(_names_nothing(entry, f"module '{error.name}'")) from error
    except AttributeError as error:
        if error.obj is not sys.modules.get(entry.module):
            raise
        raise PluginError(_names_nothing(entry, f"'{entry.attr}' in {entry.module}")) from error


def _names_nothing(entry: EntryPoint, what: str) -> str:
    return (
        f"there is no {what}, which its entry point names ({entry.name} = {entry.value}): install "
        "it again, or correct the entry point"
    )


def all_plugins() -> tuple[Plugin, ...]:
    """Return the plugins of installed packages, then those from files."""
    return (*_installed, *_files.values())


def failed_packages() -> dict[str, str]:
    """Return why installed plugins cannot be used, by package."""
    return dict(_failed)


def failures_to_tell() -> list[str]:
    """Return a sentence for each installed plugin that cannot be used, once in each process."""
    new = {package: why for package, why in _failed.items() if package not in _told}
    _told.update(new)
    return [f"the installed plugin {package} cannot be used: {why}" for package, why in new.items()]


def unload_file(plugin: Plugin) -> None:
    """Forget a plugin that was loaded from a file, as if it had not been named."""
    take_back(plugin)
    for key in [key for key, one in _files.items() if one is plugin]:
        del _files[key]


def plugin_trouble(error: BaseException, path: Path | None) -> str:
    """Return what a plugin's code has raised, with the last line of `path` that led to it."""
    if isinstance(error, PluginError) and path is None:
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {error.msg}: correct it, then start again"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(f.filename, f.lineno) for f in frames if path is None or f.filename == str(path)]
    where = f"{lines[-1][0]}, line {lines[-1][1]}: " if lines else f"{path}: " if path else ""
    if isinstance(error, PluginError):
        text = str(error)
        return text if path and text.startswith(f"{path}: ") else where + text
    said = str(error).partition("\n")[0]
    return f"{where}{type(error).__name__}{': ' if said else ''}{said}"


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _read(text: str) -> tuple[Path, bytes]:
    try:
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            raise PluginError(f"{path}: a folder: name the plugin's file, as in {path}/method.py")
        if path.suffix != ".py":
            raise PluginError(f"{path}: not a Python file: a plugin's name ends in .py")
        return path, read_small(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PluginError(f"{text}: there is no such file") from error
    except OSError as error:
        raise PluginError(f"{text}: cannot be read: {error.strerror or error}") from error
    except SizeError as error:
        raise PluginError(f"{text}: not a plugin: {error}") from error
    except (RuntimeError, ValueError) as error:
        raise PluginError(f"{text}: not a path: {error}") from error
