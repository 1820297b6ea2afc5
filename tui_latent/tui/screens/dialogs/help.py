"""The keys of the screen below, by group."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui_latent.tui.commands import Command, commands_of
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name


class HelpScreen(ModalScreen[None]):
    """Lists the keys of a screen."""

    CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 64; max-width: 90%; height: auto; max-height: 100%; padding: 0 2;
        scrollbar-size-vertical: 1; border: round $accent; background: $surface;
    }
    HelpScreen Static { height: auto; }
    """

    BINDINGS = bindings("help")

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._commands = commands_of(below)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "Keys"
            box.border_subtitle = f"Press {key_name('help.close', self.app._keymap)} to close"
            yield Static(help_text(self._commands))


def help_text(commands: list[Command]) -> Content:
    """Return the commands by group: their keys and what they do."""
    lines: list[Content] = []
    width = max((len(command.keys) for command in commands), default=0)
    groups = dict.fromkeys(command.group for command in commands)
    for group in groups:
        lines.append(Content.styled(group, "bold $text-accent"))
        for command in commands:
            if command.group == group:
                keys = f"  {command.keys:<{width}}  "
                lines.append(Content.assemble((keys, "bold"), command.tooltip or command.verb))
    return Content("\n").join(lines)
