"""How long training takes on this machine: as earlier runs here did, else as the preset says."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_latent.tui.format import duration

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.runs.schema import RunSummary

Changes = Sequence[str]
"""settings that differ from the preset's, as `RunSummary.changes` has them"""

_EPOCHS: Final = re.compile(r"(train|stages\.(\d+|\*))\.epochs=")
_NO_MATTER: Final = re.compile(
    r"(train|stages\.(\d+|\*))\.(lr|seed|schedule|warmup_epochs|weight_decay|title)="
)
"""settings that do not change how long a step takes"""


@dataclass(frozen=True)
class ExpectedTime:
    """An expected duration, and where it comes from."""

    seconds: float
    source: str
    """in words"""

    @property
    def words(self) -> list[str]:
        """The two as short phrases."""
        return [f"about {duration(self.seconds)}", self.source]


def expected_time(
    name: str, preset: Preset, device: str, runs: Sequence[RunSummary], changes: Changes = ()
) -> ExpectedTime | None:
    """Return how long a preset takes, None if that is not known.

    As long as the newest run here with the same settings; else as the preset says, if none of its
    settings were changed; else in proportion to a run with another number of epochs.

    `device` is what `auto` chooses, `cpu` or `cuda`; `runs` are the newest first.
    """
    wanted = preset.train.device
    kind, epochs = device if wanted == "auto" else wanted.split(":")[0], _epochs(preset)
    alike = list(_alike(name, kind, runs, changes))
    for run in alike:
        if run.status.total_epochs == epochs:
            return ExpectedTime(run.status.seconds, "like an earlier run here")
    for measured, minutes in preset.minutes.items():
        if measured == kind and not changes:
            device_words = "a GPU" if kind == "cuda" else "a CPU"
            return ExpectedTime(60 * minutes, f"measured on {device_words}")
    for run in alike:
        if trained := run.status.total_epochs:
            source = f"like an earlier run here with {_counted(trained)}"
            return ExpectedTime(run.status.seconds * epochs / trained, source)
    return None


def expected_time_as_edited(
    name: str,
    before: tuple[Preset, Changes],
    after: tuple[Preset, Changes],
    device: str,
    runs: Sequence[RunSummary],
) -> ExpectedTime | None:
    """Return how long a preset takes whose settings were edited, None if that is not known.

    What is not known of the edited ones is taken from those `before`, in proportion to the epochs;
    the words then name a setting that may change it.
    """
    preset, changes = after
    if found := expected_time(name, preset, device, runs, changes):
        return found
    base = expected_time(name, before[0], device, runs, before[1])
    old, new = _epochs(before[0]), _epochs(preset)
    if base is None or not old:
        return None
    source = base.source if new == old else f"{base.source} with {_counted(old)}"
    others = [each.partition("=")[0] for each in changes if each not in before[1] and _costs(each)]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        source += f"; {others[0]}{more} may change that"
    return ExpectedTime(base.seconds * new / old, source)


def _alike(
    name: str, kind: str, runs: Sequence[RunSummary], changes: Changes
) -> Iterator[RunSummary]:
    """Yield the finished runs here that differ in the number of their epochs at most."""
    wanted = _but_epochs(changes)
    for run in runs:
        status = run.status
        if (
            (run.preset, status.state) == (name, "finished")
            and status.host == platform.node()
            and status.device.startswith(kind)
            and _but_epochs(run.changes) == wanted
        ):
            yield run


def _epochs(preset: Preset) -> int:
    return sum(stage.epochs for stage in preset.training_stages())


def _but_epochs(changes: Changes) -> set[str]:
    return {change for change in changes if not _EPOCHS.match(change)}


def _costs(change: str) -> bool:
    return not _EPOCHS.match(change) and not _NO_MATTER.match(change)


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs:,} epochs"
