"""The values typed into the mixing desk, and those that hold now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui_latent.launch.tune import Desk


@dataclass(frozen=True)
class Row:
    """One setting, as a line shows it."""

    key: str
    text: str
    """what is in the input"""
    preset: str
    help: str
    typed: bool = False
    """whether the text differs from the value that holds now"""
    differs: bool = False
    """whether the value that holds now differs from the preset's"""
    waiting: bool = False
    """whether the trainer has not answered yet"""
    error: str = ""

    @property
    def mark(self) -> str:
        """Sign before the name: `*` if typed, `…` until the trainer answers."""
        return "*" if self.typed else "…" if self.waiting else " "


class DeskDraft:
    """Holds the typed values; every change validates all of them together."""

    def __init__(self, desk: Desk) -> None:
        from tui_latent.config.tuning import rate_settings, tunable_settings

        over = rate_settings(desk.preset)[: desk.stage]
        self._fields = [f for f in tunable_settings(desk.preset) if f.key not in over]
        self._typed: dict[str, str] = {}
        self.changes: dict[str, Any] = {}
        """settings with the values to request; empty while there are errors"""
        self.errors: dict[str, str] = {}
        """by setting; errors that concern no single one have the empty key"""
        self.take(desk)

    def take(self, desk: Desk) -> None:
        """Take the values that hold now; what is typed stays."""
        from tui_latent.config.tuning import live_values, rate_settings

        self._desk = desk
        self._current = rate_settings(desk.preset)[desk.stage]
        self._preset, self._now = live_values(desk.preset), live_values(desk.now)
        self._validate()

    @property
    def state(self) -> str:
        """Where the run is, and the learning rate of the next update."""
        desk = self._desk
        factor = f", {desk.factor:g} × the schedule" if desk.factor != 1 else ""
        step = f"{desk.status.state} · step {desk.status.step:,}"
        return f"{step} · learning rate now {desk.rate:.3g}{factor}"

    def rows(self) -> list[Row]:
        """Return the settings in order."""
        return [self._row(field.key, field.help) for field in self._fields]

    def write(self, key: str, text: str) -> None:
        """Take what was typed for a setting."""
        if text.strip() == self.text_now(key):
            self._typed.pop(key, None)
        else:
            self._typed[key] = text
        self._validate()

    def forget(self) -> None:
        """Forget the typed values, because they were requested."""
        self._typed.clear()
        self._validate()

    def _row(self, key: str, about: str) -> Row:
        if key == self._current and key != "train.lr":
            about = "peak learning rate of the current stage"
        return Row(
            key,
            self._typed.get(key, self.text_now(key)),
            _written(self._preset[key]) if key in self._preset else "",
            about,
            key in self._typed,
            self._now.get(key) != self._preset.get(key),
            key in self._desk.waiting,
            self.errors.get(key, ""),
        )

    def text_now(self, key: str) -> str:
        """Return the present value, as it would be typed."""
        return _written(self._now[key]) if key in self._now else ""

    def _validate(self) -> None:
        from tui_latent.config.preset_files import PresetError
        from tui_latent.config.setting_values import read_value

        self.errors, self.changes = {}, {}
        if not self._typed:
            return
        values = {key: read_value(key, text) for key, text in self._typed.items()}
        same = [key for key, value in values.items() if value == self._now.get(key)]
        values = {key: value for key, value in values.items() if key not in same}
        if not values:
            return
        try:
            self.changes = dict(self._desk.checked(values))
        except PresetError as error:
            for key, problem in error.problems:
                self.errors.setdefault(key if key in self._typed else "", problem)


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
