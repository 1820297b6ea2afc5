"""Choose a checkpoint and the settings of a fork."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.widgets.cut_text import CutText

Check = Callable[[int, dict[str, object]], str]
"""(step of a checkpoint, settings) -> what they change, in words; PresetError, RunError"""


@dataclass(frozen=True)
class Fork:
    """The answer of the dialog."""

    step: int
    overrides: dict[str, object]


class ForkScreen(DialogScreen[Fork | None]):
    """Asks which checkpoint a new run starts from, and with which other settings."""

    CSS = """
    ForkScreen { align: center middle; }
    ForkScreen > Vertical {
        width: 90; max-width: 95%; height: auto; max-height: 95%;
        padding: 1 2 0 2; border: round $accent; background: $surface;
    }
    ForkScreen Static { height: auto; }
    ForkScreen OptionList {
        height: auto; max-height: 6; border: none; padding: 0; margin-bottom: 1;
    }
    ForkScreen Input { height: 1; background: $panel; }
    ForkScreen Input:focus { background: $accent 40%; }
    ForkScreen #told { min-height: 2; max-height: 6; }
    ForkScreen #told.-error { color: $text-error; }
    ForkScreen #keys { height: auto; color: $text-muted; }
    """

    BINDINGS = bindings("fork")

    def __init__(
        self, run: str, steps: Sequence[int], shown: int | None, rate: str, check: Check
    ) -> None:
        """`steps` of the checkpoints are in rising order; `shown` is the step on the screen.

        `rate` is the key of the learning rate, for the example.
        """
        super().__init__()
        self._example = f"{rate}=0.0005 augment.noise=0.1"
        self._run, self._steps, self._check = run, tuple(reversed(steps)), check
        earlier = [step for step in self._steps if shown is not None and step <= shown]
        self._first = self._steps.index(earlier[0]) if earlier else 0

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(f"Fork {self._run}")
            yield Static("A new run starts from the checkpoint of", markup=False)
            newest = self._steps[0]
            yield OptionList(
                *(
                    Option(f"step {step:,}{' (newest)' if step == newest else ''}", id=str(step))
                    for step in self._steps
                )
            )
            yield Static("with these settings changed, written as for --set:", markup=False)
            yield Input(placeholder=self._example, compact=True)
            yield CutText("", id="told", markup=False)
            keys = "Enter: start · Tab: checkpoint or settings · Esc: leave"
            yield Static(keys, id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._first
        self.set_focus(self.query_one(Input))
        self._judge()

    @on(Input.Changed)
    @on(OptionList.OptionHighlighted)
    def _judge(self) -> Fork | None:
        """Say what the settings would change, or what is wrong with them."""
        from tui_latent.config.preset_files import PresetError
        from tui_latent.runs.schema import RunError

        try:
            fork = Fork(self._step, self._overrides())
            words = self._check(fork.step, fork.overrides)
        except (PresetError, RunError) as error:
            # The title names the run already.
            self._tell(str(error).removeprefix(f"{self._run}: "), error=True)
            return None
        self._tell(words or "No setting is changed: the fork would train exactly as the run did.")
        return fork

    def _tell(self, text: str, error: bool = False) -> None:
        line = self.query_one("#told", Static)
        line.update(Content(f"✗ {text}" if error else text))
        line.set_class(error, "-error")

    @property
    def _step(self) -> int:
        return self._steps[self.query_one(OptionList).highlighted or 0]

    def _overrides(self) -> dict[str, object]:
        from tui_latent.config.preset_files import PresetError
        from tui_latent.config.presets import parse_override

        try:
            words = shlex.split(self.query_one(Input).value)
        except ValueError as error:
            raise PresetError(self._run, [("", "a quotation mark is not closed")]) from error
        return dict(parse_override(word) for word in words)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def start(self, event: Any) -> None:
        """Close with the fork if its settings are possible."""
        if (fork := self._judge()) is not None:
            self.dismiss(fork)

    def action_leave(self) -> None:
        """Close without forking."""
        self.dismiss(None)
