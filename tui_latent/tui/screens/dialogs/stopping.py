"""The wait between a stop and its checkpoint."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class StoppingScreen(ModalScreen[None]):
    """Says that a run is being stopped and saved; its owner takes it away."""

    CSS = """
    StoppingScreen { align: center middle; }
    StoppingScreen > Vertical {
        width: 60; max-width: 90%; height: auto; padding: 1 2;
        border: round $warning; background: $surface;
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
                f"{self._run} ends its step and saves a checkpoint. "
                "This takes a moment; nothing is lost.",
                markup=False,
            )
