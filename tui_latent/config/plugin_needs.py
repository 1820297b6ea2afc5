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


def missing_plugins(provenance: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each plugin that a run needs and that is not loaded."""
    return [
        _sentence(record, missing)
        for record in _records(provenance)
        if (
            missing := [(k, name) for k, name in _noted_parts(record) if name not in _REGISTRIES[k]]
        )
    ]


def require_plugins(path: Path) -> None:
    """Raise RunError if the run at `path` needs a plugin that is not loaded; it says which."""
    if missing := missing_plugins(read_manifest(path).provenance):
        raise RunError(f"{path.name} {' It also '.join(missing)}")


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
        for part in _noted_parts(record)[:1]:
            now = plugin_of(*part)
            key = "sha256" if now is not None and now.file else "version"
            if now is not None and record.get(key) not in (None, getattr(now, key)):
                sentences.append(f"the plugin {now.describe()} has changed since the run was made")
    return sentences


def how_to_get(kind: Kind) -> str:
    """Return the end of the message about a method, network or source that is not known."""
    words = f"; a {kind} of your own needs --plugin FILE.py"
    for package, why in failed_packages().items():
        words += f"; the installed plugin {package} cannot be used: {why}"
    return words


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


def _sentence(record: Mapping[str, Any], missing: list[Part]) -> str:
    name, file = plain_name(str(record.get("name", "?"))), str(record.get("file", ""))
    gives = " and ".join(f"the {kind} '{plain_name(part)}'" for kind, part in missing)
    if not file:
        package = f"{name} {plain_name(str(record.get('version', '')))}".rstrip()
        why = failed_packages().get(name, "")
        remedy = f"it is installed, but cannot be used: {why}" if why else "install it here"
        return f"needs the package {package}, which has {gives}: {remedy}"
    shown = plain_name(file, len(file))
    if Path(file).is_file():
        return (
            f"needs the plugin {shown}, which has {gives}. A plugin is code, so it runs only when "
            f"you name it: add --plugin {shlex.quote(shown)} to the command, or start the "
            "dashboard with it"
        )
    return (
        f"needs the plugin {shown}, which has {gives}, but that file is not there: name the place "
        f"where it is now, as in --plugin {shlex.quote(Path(shown).name)}"
    )
