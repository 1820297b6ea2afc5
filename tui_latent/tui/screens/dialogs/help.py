"""What the screen below is for, what its keys do, and what its terms mean."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui_latent.tui.commands import Command, commands_of
from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.terms import explained
from tui_latent.tui.wrapping import wrap

_WIDTH: Final = 84
"""columns of the box, if there is room"""
_FRAME: Final = 7
"""columns of its border, padding and scroll bar"""


class HelpScreen(DialogScreen[None]):
    """Explains a screen."""

    CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 84; max-width: 96%; height: auto; max-height: 100%; padding: 0 2;
        scrollbar-size-vertical: 1; border: round $accent; background: $surface;
    }
    HelpScreen Static { height: auto; }
    HelpScreen #about { margin-bottom: 1; }
    HelpScreen .heading { color: $text-accent; text-style: bold; margin-top: 1; }
    HelpScreen .term { text-style: bold; padding-left: 2; }
    HelpScreen .meaning { padding-left: 4; }
    """

    BINDINGS = bindings("help")

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._commands = commands_of(below)
        self._about, self._terms = "", list[tuple[str, str]]()
        if isinstance(below, BaseScreen):
            self._about, self._terms = below.ABOUT, explained(below.terms())

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "Help"
            box.border_subtitle = f"Press {key_name('help.close', self.app._keymap)} to close"
            if self._about:
                yield Static(self._about, id="about", markup=False)
            yield Static(self._keys(), id="keys")
            if self._terms:
                yield Static("What the terms mean", classes="heading")
            for term, meaning in self._terms:
                yield Static(term, classes="term", markup=False)
                yield Static(meaning, classes="meaning", markup=False)

    def on_resize(self) -> None:
        """Wrap what the keys do to the new width."""
        self.call_after_refresh(self._wrap)  # during a layout its height would stay the old one

    def _wrap(self) -> None:
        self.query_one("#keys", Static).update(self._keys())

    def _keys(self) -> Content:
        width = min(_WIDTH, self.app.size.width * 96 // 100) - _FRAME
        return help_text(self._commands, width)


def help_text(commands: Sequence[Command], width: int) -> Content:
    """Return the commands by topic, each with its keys and what it does, in `width` cells."""
    lines: list[Content] = []
    room = max((len(command.keys) for command in commands), default=0)
    for topic in dict.fromkeys(command.topic for command in commands):
        lines.append(Content.styled(topic, "bold $text-accent"))
        for command in commands:
            if command.topic == topic:
                words = wrap(command.tooltip or command.verb, max(width - room - 4, 16))
                for keys, part in zip_longest([command.keys], words, fillvalue=""):
                    lines.append(Content.assemble((f"  {keys:<{room}}  ", "bold"), part))
    return Content("\n").join(lines)
