"""A question with more answers than yes and no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.widgets.cut_text import CutText


@dataclass(frozen=True)
class Choice:
    """One answer."""

    id: str
    label: str
    about: str
    """what it does, in a line"""


class ChoiceScreen(DialogScreen[str | None]):
    """Asks which of several things to do; closes with the answer's id, or None for none of them."""

    CSS = """
    ChoiceScreen { align: center middle; }
    ChoiceScreen > Vertical {
        width: 76; max-width: 95%; height: auto; max-height: 95%;
        padding: 1 2 0 2; border: round $text-warning; background: $surface;
    }
    ChoiceScreen #question { height: auto; max-height: 8; margin-bottom: 1; }
    ChoiceScreen OptionList { height: auto; max-height: 12; border: none; padding: 0; }
    ChoiceScreen #keys { height: auto; margin-top: 1; color: $text-muted; }
    """

    BINDINGS = bindings("choice")

    def __init__(self, title: str, question: str, choices: Sequence[Choice]) -> None:
        """The first of the `choices` is highlighted."""
        super().__init__()
        self._title, self._question, self._choices = title, question, choices

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            yield CutText(self._question, id="question", markup=False)
            yield OptionList(
                *(
                    Option(Content.assemble((c.label, "bold"), f"\n{c.about}"), id=c.id)
                    for c in self._choices
                )
            )
            yield Static("Enter chooses, Esc changes nothing", id="keys", markup=False)

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Close with the answer that was chosen."""
        self.dismiss(event.option.id)
