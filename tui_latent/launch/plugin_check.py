"""Try out everything that a plugin adds, before a run depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui_latent.config.preset_files import PresetError
from tui_latent.launch.method_check import check_method
from tui_latent.launch.tried_checks import Check
from tui_latent.plugins.registry import Part, Plugin
from tui_latent.sources import SOURCES
from tui_latent.sources.errors import DataError

if TYPE_CHECKING:
    from tui_latent.datasets.image_set import Dataset

_WITH_NETWORK = "vicreg"
"""method by which a network is tried; any that has one would do"""
_CHUNK = 256
"""images compared at a time"""


def check_plugin(plugin: Plugin, settings: Mapping[str, object]) -> dict[Part, list[Check]]:
    """Return the checks of each method, network and source that a plugin adds.

    `settings` are set for methods, as for `--set`; PresetError if they are not possible, or if a
    method cannot do without others.
    """
    file = Path(plugin.file) if plugin.file else None
    return {part: _check(part, settings, file) for part in plugin.parts}


def _check(part: Part, settings: Mapping[str, object], file: Path | None) -> list[Check]:
    kind, name = part
    if kind == "method":
        return check_method(name, settings, file)
    if kind == "network":
        return check_method(_WITH_NETWORK, {"method.network": name}, file)
    return _check_source(name, settings)


def _check_source(name: str, settings: Mapping[str, object]) -> list[Check]:
    """Read a source twice, as training and a later look at its images would."""
    from tui_latent.config.settings import DataSettings
    from tui_latent.datasets.describe import describe_source
    from tui_latent.datasets.sources import load_dataset

    path = str(settings.get("data.path", ""))
    if SOURCES[name].needs_path and not path:
        raise PresetError(name, [("data.path", f"source '{name}' needs it: --set data.path=…")])
    data = DataSettings(source=name, path=path)
    facts = describe_source(data)
    checks = [Check("the menu can describe it", facts.problem)]
    titles = ("its images are read", "image_shape is the shape of the images")
    try:
        first, again = load_dataset(data, 0), load_dataset(data, 0)
    except DataError as error:
        return [*checks, Check(titles[0], str(error)), Check(titles[1], tried=False)]
    shape = first.train.shape
    wrong_shape = ""
    if facts.shape is not None and facts.shape != shape:
        wrong_shape = f"it says {facts.shape}, but the images are {shape}"
    same = _same(first, again)
    repeats = (
        ""
        if same
        else "two readings differ: draw from a generator with a fixed seed, else a run could not "
        "find its images again"
    )
    return [
        *checks,
        Check(titles[0]),
        Check(titles[1], wrong_shape),
        Check("each reading gives the same images", repeats),
    ]


def _same(one: Dataset, other: Dataset) -> bool:
    import torch

    from tui_latent.datasets.image_set import in_chunks

    splits = ((one.train, other.train), (one.val, other.val))
    return all(
        a.labels.equal(b.labels)
        and a.shape == b.shape
        and all(map(torch.equal, in_chunks(a, _CHUNK), in_chunks(b, _CHUNK)))
        for a, b in splits
    )
