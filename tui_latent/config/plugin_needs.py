"""Which plugins a preset uses, and which of those that a run needs are not loaded."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.networks import NETWORKS
from tui_latent.plugins.loading import failed_packages
from tui_latent.plugins.registry import Kind, Part, Plugin, Registry, plugin_of
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.schema import RunError
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources import SOURCES

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset

_REGISTRIES: Final[Mapping[Kind, Registry[Any]]] = {
    "method": METHOD_SETTINGS,
    "network": NETWORKS,
    "source": SOURCES,
}
PLUGINS: Final = "plugins"
"""list in `[provenance]` with the plugins that a run needs"""


def plugins_of(preset: Preset) -> list[Plugin]:
    """Return the plugins whose method, network or source a preset uses, each once."""
    found = (plugin_of(*part) for part in _parts(preset))
    return list(dict.fromkeys(plugin for plugin in found if plugin is not None))


def plugin_records(preset: Preset) -> list[dict[str, Any]]:
    """Return the tables that a new run keeps about the plugins that it needs."""
    used = set(_parts(preset))
    records = []
    for plugin in plugins_of(preset):
        origin = (
            {"file": plugin.file, "sha256": plugin.sha256}
            if plugin.file
            else {"version": plugin.version}
        )
        parts = [f"{kind} {name}" for kind, name in plugin.parts if (kind, name) in used]
        records.append({"name": plugin.name, **origin, "parts": parts})
    return records


def plugin_files(preset: Preset) -> list[str]:
    """Return the files of a preset's plugins, which a command names; installed ones have none."""
    return [plugin.file for plugin in plugins_of(preset) if plugin.file]


def plugin_words(preset: Preset) -> list[str]:
    """Return the words that name a preset's plugins on a command line; installed ones need none."""
    return [word for file in plugin_files(preset) for word in ("--plugin", file)]


def missing_plugins(provenance: Mapping[str, Any]) -> str:
    """Return which plugins a run needs that are not loaded, and how to get them; empty if none."""
    gone, files = [], []
    for record in _records(provenance):
        missing = [(k, name) for k, name in _noted_parts(record) if name not in _REGISTRIES[k]]
        if not missing:
            continue
        file = str(record.get("file", ""))
        needed = f"needs {_described(record)}, which has {_gives(missing)}"
        if file and Path(file).is_file():
            files.append((needed, f"--plugin {shlex.quote(plain_name(file, len(file)))}"))
        else:
            gone.append(needed + _remedy(record))
    sentences = gone + [needed for needed, _ in files]
    if files:
        it = "it" if len(files) == 1 else "them"
        sentences[-1] += (
            f". A plugin is code, so it runs only when you name it: add "
            f"{' '.join(option for _, option in files)} to the command, or start the dashboard "
            f"with {it}"
        )
    return ". It also ".join(sentences)


def require_plugins(path: Path) -> None:
    """Raise RunError if the run at `path` needs a plugin that is not loaded; it says which."""
    if missing := missing_plugins(read_manifest(path).provenance):
        raise RunError(f"{path.name} {missing}")


def files_needed(path: Path) -> list[str]:
    """Return the loaded plugin files that the run at `path` needs, for the process that trains it.

    RunError if one is not loaded.
    """
    require_plugins(path)
    records = _records(read_manifest(path).provenance)
    owners = (plugin_of(*part) for record in records for part in _noted_parts(record))
    return list(dict.fromkeys(plugin.file for plugin in owners if plugin and plugin.file))


def changed_plugins(path: Path) -> list[str]:
    """Return a sentence for each plugin whose code is not the one that made the run."""
    sentences = []
    for record in _records(read_manifest(path).provenance):
        for now in dict.fromkeys(plugin_of(*part) for part in _noted_parts(record)):
            if now is not None and (sentence := _change(record, now)):
                sentences.append(sentence)
    return sentences


def _change(record: Mapping[str, Any], now: Plugin) -> str:
    """Return in what a loaded plugin differs from the one that a run noted; empty if in nothing."""
    file, name = record.get("file", ""), record.get("name")
    if bool(file) == bool(now.file) and (file or name == now.name):
        noted, is_now = ("sha256", now.sha256) if file else ("version", now.version)
        changed = record.get(noted) not in (None, is_now)
        return f"the plugin {now.describe()} has changed since the run was made" if changed else ""
    was = _described(record).removeprefix("the plugin ")
    return f"the plugin is now {now.describe()}; the run was made with {was}"


def how_to_get(kind: Kind) -> str:
    """Return the end of the message about a method, network or source that is not known."""
    return f"; a {kind} of your own needs --plugin FILE.py"


def _parts(preset: Preset) -> Iterator[Part]:
    yield "method", preset.method.name
    if isinstance(network := getattr(preset.method, "network", None), str):
        yield "network", network
    yield "source", preset.data.source


def _records(provenance: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [record for record in _listed(provenance.get(PLUGINS)) if isinstance(record, Mapping)]


def _noted_parts(record: Mapping[str, Any]) -> list[Part]:
    parts = []
    for text in _listed(record.get("parts")):
        kind, _, name = str(text).partition(" ")
        parts += [(known, name) for known in get_args(Kind) if kind == known]
    return parts


def _listed(value: object) -> Sequence[object]:
    """Return a list from a run's folder, which anyone may have edited; empty if it is not one."""
    return value if isinstance(value, (list, tuple)) else ()


def _described(record: Mapping[str, Any]) -> str:
    name, file = plain_name(str(record.get("name", "?"))), str(record.get("file", ""))
    if file:
        return f"the plugin {plain_name(file, len(file))}"
    return f"the package {name} {plain_name(str(record.get('version', '')))}".rstrip()


def _gives(parts: list[Part]) -> str:
    return " and ".join(f"the {kind} '{plain_name(name)}'" for kind, name in parts)


def _remedy(record: Mapping[str, Any]) -> str:
    """Return the end of the sentence about a package, or about a file that is not there."""
    file = str(record.get("file", ""))
    if file:
        name = shlex.quote(plain_name(Path(file).name))
        return (
            f", but that file is not there: name the place where it is now, as in --plugin {name}"
        )
    why = failed_packages().get(str(record.get("name", "")), "")
    return f": it is installed, but cannot be used: {why}" if why else ": install it here"
