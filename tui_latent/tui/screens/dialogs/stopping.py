"""Shown between a request to stop and the checkpoint."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_latent.tui.layered_screen import DialogScreen


class StoppingScreen(DialogScreen[None]):
    """Says that a run is being stopped and saved; whoever pushed it dismisses it."""

    CSS = """
    StoppingScreen { align: center middle; }
    StoppingScreen > Vertical {
        width: 60; max-width: 90%; height: auto; padding: 1 2;
        border: round $text-warning; background: $surface;
    }
    StoppingScreen Static { height: auto; }
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content("Stopping")
            yield Static(
                f"{self._run} is finishing its step and saving a checkpoint. "
                "This takes a moment; nothing is lost.",
                markup=False,
            )
