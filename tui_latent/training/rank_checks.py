"""What must be the same on all machines before several processes train a run together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tui_latent.config.plugin_needs import plugin_records
from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import Preset
from tui_latent.runtime.versions import version_of

EPOCHS = "epochs"
"""among what was asked for: all epochs of all stages"""
_SHOWN = 3
"""settings that a sentence names"""


class Told(NamedTuple):
    """What rank 0 says about the run before anything is loaded."""

    preset: Mapping[str, Any]
    versions: Mapping[str, str]
    plugins: list[dict[str, Any]]


def told(preset: Preset) -> Told:
    """Return what this process would train, and with which code."""
    return Told(preset.model_dump(mode="json"), _versions(), _codes(preset))


def parsed(before: Told) -> Preset:
    """Return the preset that rank 0 trains; PresetError if this process cannot read it."""
    return parse_preset(before.preset, {}, where="the preset of process 0")


def difference(before: Told, preset: Preset, asked: Mapping[str, Any]) -> str:
    """Return how this process differs from rank 0, in a sentence; empty if it does not.

    `preset` is what rank 0 trains. `asked` are the settings that the command of this process asks
    for, by their keys.
    """
    for name, theirs in before.versions.items():
        if (ours := _versions()[name]) != theirs:
            return f"it has {name} {ours}, and process 0 has {theirs}: install the same version"
    if _codes(preset) != before.plugins:
        return "its plugins are not those of process 0: copy the same files to all machines"
    found = dict(_flat(before.preset))
    found[EPOCHS] = sum(stage.epochs for stage in preset.training_stages())
    other = [key for key in asked if key in found and found[key] != asked[key]]
    if not other:
        return ""
    words = [f"{key} is {asked[key]!r} here and {found[key]!r} there" for key in other[:_SHOWN]]
    left = len(other) - _SHOWN
    more = f", and {left} more differ{'s' * (left == 1)}" if left > 0 else ""
    return (
        f"its command asks for other settings than that of process 0: {', '.join(words)}{more}: "
        "start the same command on all machines"
    )


def settings_of(preset: Preset) -> dict[str, Any]:
    """Return all settings of a preset by their keys, as in `asked`; no run that it starts from,
    which only process 0 needs to find."""
    flat = dict(_flat(preset.model_dump(mode="json")))
    if earlier := preset.method.earlier_run():
        flat.pop(f"method.{earlier.setting}", None)
    return flat


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        pairs: Any = value.items()
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        pairs = enumerate(value)
    else:
        yield key, list(value) if isinstance(value, tuple) else value
        return
    for name, inner in pairs:
        yield from _flat(inner, f"{key}.{name}" if key else str(name))


def _codes(preset: Preset) -> list[dict[str, Any]]:
    """Return the plugins that a preset needs, wherever their files are."""
    return [{k: v for k, v in record.items() if k != "file"} for record in plugin_records(preset)]


@cache
def _versions() -> dict[str, str]:
    """Return the versions that must agree; a checkout may differ where its version does not."""
    return {
        "torch": torch.__version__,
        "tui-latent": version_of("tui-latent"),
        "the code of tui-latent": _code_digest(),
    }


def _code_digest() -> str:
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
