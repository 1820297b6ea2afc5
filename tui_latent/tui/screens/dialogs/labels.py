"""The name, the tags and the notes of a run."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_latent.runs.labels import LONGEST_NAME, tags_in
from tui_latent.runs.schema import Labels
from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name


class LabelsScreen(DialogScreen[Labels | None]):
    """Asks for name, tags and notes; closes with them, or with None."""

    CSS = """
    LabelsScreen { align: center middle; }
    LabelsScreen > Vertical {
        width: 68; max-width: 90%; height: auto; max-height: 90%; padding: 0 1;
        border: round $accent; background: $surface;
    }
    LabelsScreen Input {
        height: 3; border: round $foreground 40%; border-title-color: $foreground;
        background: transparent;
        &:focus { border: round $accent; }
    }
    LabelsScreen Static { height: auto; color: $text-muted; }
    """

    BINDINGS = bindings("labels")

    def __init__(self, run: str, labels: Labels) -> None:
        """`run` is the name of the run's folder."""
        super().__init__()
        self._run, self._labels = run, labels

    def compose(self) -> ComposeResult:
        labels = self._labels
        with Vertical() as box:
            box.border_title = Content(self._run)
            yield self._input("name", labels.name, f"Name (empty: {self._run})", LONGEST_NAME)
            yield self._input("tags", " ".join(labels.tags), "Tags, separated by spaces")
            yield self._input("notes", " ".join(labels.notes.split()), "Notes")
            save, cancel = (
                key_name(f"labels.{verb}", self.app._keymap) for verb in ("save", "cancel")
            )
            yield Static(
                f"{save} saves, {cancel} cancels. The folder keeps its name, because commands "
                "and other runs refer to it.",
                markup=False,
            )

    def _input(self, name: str, value: str, title: str, longest: int = 400) -> Input:
        box = Input(value, id=name, max_length=longest, select_on_focus=False)
        box.border_title = Content(title)
        return box

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#name", Input))

    @on(Input.Submitted)
    def save(self, event: Input.Submitted) -> None:
        """Close with what was typed."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Close with what was typed."""
        name, tags, notes = (self.query_one(f"#{each}", Input).value for each in _FIELDS)
        self.dismiss(
            Labels(" ".join(name.split()), tags_in(tags), notes.strip(), self._labels.archived)
        )

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


_FIELDS = ("name", "tags", "notes")
