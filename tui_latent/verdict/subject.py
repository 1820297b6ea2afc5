"""The run that a verdict is about, with its newest evaluation."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from tui_latent.nouns import Nouns
from tui_latent.runs.events import LR_FACTOR, settings_now
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.origin import nouns_of
from tui_latent.runs.schema import LIVE_STATES, RunSnapshot

_KNN: Final = "val/knn_20"
_HARMLESS: Final = frozenset(
    f"train.{name}"
    for name in (
        *("seed", "device", "devices", "acceleration", "log_every", "eval_every"),
        *("checkpoint_every", "checkpoint_seconds", "pause_on_collapse"),
    )
)
"""settings that a preset's promise does not depend on"""


@dataclass(frozen=True, eq=False)
class Subject:
    """A run and its newest stored evaluation, if there is one."""

    run: RunSnapshot
    evaluation: Mapping[str, Any] | None = None

    @property
    def live(self) -> bool:
        """Whether the run is still being trained."""
        return self.run.status.state in LIVE_STATES

    @property
    def finished(self) -> bool:
        """Whether the training was completed."""
        return self.run.status.state == "finished"

    @cached_property
    def held_out(self) -> int:
        """Held-out images of the newest evaluation that have a label; 0 if there was none."""
        if self.run.confusion is not None:
            return int(self.run.confusion.sum())
        return 0 if self.run.map is None else int((self.run.map.labels != UNLABELLED).sum())

    @property
    def foreign(self) -> bool:
        """Whether the run was not trained here, so that no preset promises anything."""
        return self.run.origin != "trained"

    @property
    def nouns(self) -> Nouns:
        """What sentences call the images of the run."""
        return nouns_of(self.run.origin)

    @property
    def voters(self) -> str:
        """The images that vote: of a run from elsewhere, perhaps the other held-out ones."""
        return f"{self.nouns.image if self.foreign else self.nouns.training}s"

    @property
    def accuracy(self) -> float | None:
        """The newest kNN@20; where the run records none, that of its evaluation."""
        value = self.run.newest(_KNN)
        if value is not None or _KNN in self.run.missing:
            return value
        of = _table(_table(self.evaluation or {}, "knn_held_out"), "accuracy")
        share = _table(of, "20").get("value")
        return float(share) if isinstance(share, (int, float)) else None

    @property
    def dimensions(self) -> int | None:
        """The latent dimension."""
        value = _table(self.run.preset, "method").get("latent_dim")
        if value is None:
            value = _table(self.evaluation or {}, "latents").get("dimensions")
        return value if isinstance(value, int) else None

    def name(self, label: int) -> str:
        """Return the name of a class."""
        names = self.run.class_names
        return names[label] if 0 <= label < len(names) else f"class {label}"

    @cached_property
    def last_stage(self) -> float:
        """The first step of the last stage. Losses of different stages cannot be compared."""
        stages = self.run.preset.get("stages")
        if not isinstance(stages, (list, tuple)) or not stages:
            return 0.0
        epochs = [_number(stage.get("epochs")) for stage in stages if isinstance(stage, Mapping)]
        whole = sum(epochs)
        return self.run.status.total_steps * sum(epochs[:-1]) / whole if whole else 0.0

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """Settings changed by the command or during training, except harmless ones."""
        try:
            words = shlex.split(str(self.run.provenance.get("command", "")))
        except ValueError:
            words = []
        by_command = [after.partition("=")[0] for word, after in pairwise(words) if word == "--set"]
        meanwhile = settings_now(self.run.events, self.run.status.step)
        keys = dict.fromkeys([*by_command, *meanwhile])
        named = ("learning rate factor" if key == LR_FACTOR else key for key in keys)
        return tuple(key for key in named if key not in _HARMLESS)

    @cached_property
    def expected(self) -> dict[str, float]:
        """The values that the preset promises, by metric."""
        table = {} if self.foreign else _table(self.run.preset, "expect")
        return {
            str(name): float(value)
            for name, value in table.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
