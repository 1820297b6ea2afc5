"""The name of a group of images."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_latent.runs.groups import LONGEST_NAME
from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name


class GroupNameScreen(DialogScreen[str | None]):
    """Asks for a name; closes with it, empty to take the name away, or with None."""

    CSS = """
    GroupNameScreen { align: center middle; }
    GroupNameScreen > Vertical {
        width: 60; max-width: 95%; height: auto; padding: 0 1;
        border: round $accent; background: $surface;
    }
    GroupNameScreen Input {
        height: 3; border: round $foreground 40%; background: transparent;
        &:focus { border: round $accent; }
    }
    GroupNameScreen Static { height: auto; color: $text-muted; }
    """

    BINDINGS = bindings("group name")

    def __init__(self, what: str, name: str) -> None:
        """`what` is to be named, in words; `name` is what it is called now."""
        super().__init__()
        self._what, self._name_now = what, name

    def compose(self) -> ComposeResult:
        keys = self.app._keymap
        save, cancel = (key_name(f"group.{verb}", keys) for verb in ("save", "cancel"))
        clears = " An empty name removes the name." if self._name_now else ""
        with Vertical() as box:
            box.border_title = Content(f"Name {self._what}")
            yield Input(self._name_now, max_length=LONGEST_NAME, select_on_focus=False)
            yield Static(f"{save} saves, {cancel} cancels.{clears}", markup=False)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Input))

    @on(Input.Submitted)
    def save(self, event: Input.Submitted) -> None:
        """Close with what was typed."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Close with what was typed."""
        self.dismiss(" ".join(self.query_one(Input).value.split()))

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
