"""What the menu knows of a preset: from its file's bare table at once, checked and timed later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_latent.config.preset_files import PresetError, all_presets, preset_path, read_table
from tui_latent.plugins.loading import load_installed
from tui_latent.sources.base import SOURCES, menu_order
from tui_latent.tui.expected_time import ExpectedTime, expected_time

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.datasets.describe import SourceFacts
    from tui_latent.runs.schema import RunSummary

_UNUSABLE: Final = "Cannot be used"
"""heading of presets without a known source"""


@dataclass(frozen=True)
class PresetEntry:
    """What a preset's file says before anything is validated."""

    name: str
    path: Path
    table: Mapping[str, Any]
    source: str = ""
    """name of the data source; empty if the file cannot be used"""
    latent_dim: int | None = None
    problem: str = ""
    """why the preset cannot be used, as far as it has been checked"""

    @property
    def title(self) -> str:
        """The preset's own line about itself."""
        return str(self.table.get("title", ""))

    @property
    def heading(self) -> str:
        """Heading above the presets of this source."""
        return SOURCES[self.source].heading if self.source in SOURCES else _UNUSABLE

    def matches(self, words: str) -> bool:
        """Return whether name, title, data and method contain every word, in any case."""
        method = self.table.get("method")
        name = method.get("name", "") if isinstance(method, dict) else ""
        text = f"{self.name} {self.title} {self.heading} {name}".lower()
        return all(word in text for word in words.lower().split())


def read_entries() -> list[PresetEntry]:
    """Read every preset's table, grouped by dataset; the entry of a broken file has its problem."""
    entries = [read_entry(name) for name in all_presets()]
    order = [source.name for source in sorted(SOURCES.values(), key=menu_order)] + [""]
    return sorted(entries, key=lambda entry: (order.index(entry.source), entry.name))


def read_entry(name: str) -> PresetEntry:
    """Read a preset's table; the entry of a file that is broken or gone has its problem."""
    path = Path(name)
    try:
        path = preset_path(name)
        table = read_table(path)
    except PresetError as error:
        return PresetEntry(name, path, {}, problem=str(error))
    data, method = table.get("data"), table.get("method")
    source = data.get("source") if isinstance(data, dict) else None
    dim = method.get("latent_dim") if isinstance(method, dict) else None
    if isinstance(source, str) and source not in SOURCES:
        load_installed()  # an installed package may bring it
    return PresetEntry(
        name,
        path,
        table,
        source=source if isinstance(source, str) and source in SOURCES else "",
        latent_dim=dim if isinstance(dim, int) else None,
    )


@dataclass(frozen=True, eq=False)
class PresetFacts:
    """A preset's file, validated, and what this machine adds to it."""

    name: str
    preset: Preset | None = None
    """None when the file cannot be used"""
    problem: str = ""
    source: SourceFacts | None = None
    time: ExpectedTime | None = None
    """expected duration on this machine; None when not known"""


def check_entry(entry: PresetEntry) -> tuple[PresetEntry, PresetFacts]:
    """Validate a preset and look at its data; both results have a problem's text."""
    from tui_latent.config.presets import parse_preset
    from tui_latent.datasets.describe import describe_images

    if entry.problem:
        return entry, PresetFacts(entry.name, problem=entry.problem)
    try:
        preset = parse_preset(entry.table, {}, where=entry.path.name)
    except PresetError as error:
        return replace(entry, problem=str(error)), PresetFacts(entry.name, problem=str(error))
    return entry, PresetFacts(entry.name, preset, source=describe_images(preset))


def with_time(facts: PresetFacts, device: str, runs: Sequence[RunSummary]) -> PresetFacts:
    """Add how long training takes here; `device` is what `auto` chooses, `cpu` or `cuda`."""
    if facts.preset is None:
        return facts
    found = expected_time(facts.name, facts.preset, device, runs)
    return facts if found is None else replace(facts, time=found)
