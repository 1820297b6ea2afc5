"""The presets by dataset, with a filter box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tui_latent.tui.format import column, short_duration
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.menu.preset_facts import PresetEntry, PresetFacts
from tui_latent.tui.widgets.line_input import LineInput
from tui_latent.tui.widgets.stable_list import Line, StableList

Action = Literal["start", "background", "edit", "images"]

NOTHING_KNOWN: Final[Mapping[str, PresetFacts]] = {}

_DIMENSIONS, _MINUTES = 6, 8
_ROOM_FOR_MINUTES = 45
"""fewest cells that have room for the time beside the longest names"""


class _Presets(StableList):
    BINDINGS = bindings("preset list")


class _FilterBox(LineInput):
    """Focuses the list on Enter, before the next key, which may already be queued."""

    BINDINGS = bindings("preset filter")

    def action_leave(self) -> None:
        """Go from the filter to the presets it found."""
        self.query_ancestor(PresetList).focus_list()


class PresetList(Vertical):
    """Presets under headings, narrowed by a filter."""

    DEFAULT_CSS = """
    PresetList > Input {
        padding: 0 1;
        background: transparent;
        &:focus { background: $boost; }
    }
    """

    BINDINGS = bindings("presets")

    class Highlighted(Message):
        """The cursor moved to a preset, or to none if nothing matches the filter."""

        def __init__(self, entry: PresetEntry | None) -> None:
            super().__init__()
            self.entry = entry

    class Chosen(Message):
        """An action on a preset was chosen."""

        def __init__(self, action: Action, entry: PresetEntry) -> None:
            super().__init__()
            self.action = action
            self.entry = entry

    class Scrolled(Message):
        """The description should scroll by some lines."""

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, PresetEntry] = {}
        self._facts: Mapping[str, PresetFacts] = NOTHING_KNOWN
        self._told: PresetEntry | None = None

    @property
    def entry(self) -> PresetEntry | None:
        """The preset under the cursor."""
        key = self.query_one(_Presets).chosen
        return self._entries.get(key) if key is not None else None

    def compose(self) -> ComposeResult:
        key = key_name("preset.filter", self.app._keymap)
        box = _FilterBox(placeholder=f"{key} filter", select_on_focus=False)
        box.can_focus = False  # Tab switches between presets and runs; a key opens the box
        yield box
        yield _Presets()

    def show(
        self, entries: Sequence[PresetEntry], facts: Mapping[str, PresetFacts] = NOTHING_KNOWN
    ) -> None:
        """Show presets, and beside each name how long it takes on this machine."""
        self._entries = {entry.name: entry for entry in entries}
        self._facts = facts
        self._refresh()

    def focus_list(self) -> None:
        """Move the focus to the list."""
        self.screen.set_focus(self.query_one(_Presets))  # at once: keys may be waiting

    def action_choose(self, action: Action) -> None:
        """Choose an action on the preset under the cursor."""
        if self.entry is not None:
            self.post_message(self.Chosen(action, self.entry))

    def action_scroll_details(self, lines: int) -> None:
        """Scroll the description."""
        self.post_message(self.Scrolled(lines))

    def action_filter(self) -> None:
        """Move the focus to the filter box."""
        box = self.query_one(Input)
        box.can_focus = True
        self.screen.set_focus(box)  # at once: what is typed next belongs here

    def on_resize(self) -> None:
        self._refresh()

    def on_key(self, event: events.Key) -> None:
        box = self.query_one(Input)
        in_box = self.screen.focused is box
        if event.key == "escape" and (in_box or box.value):
            box.value = ""
        elif not (in_box and event.key in ("down", "up")):
            return
        event.stop()
        self.focus_list()

    @on(Input.Blurred)
    def close_filter(self, event: Input.Blurred) -> None:
        """Remove the box from the Tab order again."""
        event.input.can_focus = False

    @on(Input.Changed)
    def filter(self, event: Input.Changed) -> None:
        """Narrow the list as the filter is typed."""
        event.stop()
        self._refresh()

    @on(events.Click, "Input")
    def click_filter(self) -> None:
        """Open the filter when it is clicked."""
        self.action_filter()

    @on(StableList.OptionHighlighted)
    def tell_highlighted(self, event: StableList.OptionHighlighted) -> None:
        """Say which preset the cursor is on."""
        event.stop()
        self._tell()

    @on(StableList.OptionSelected)
    def start(self, event: StableList.OptionSelected) -> None:
        """Train the preset."""
        event.stop()
        self.action_choose("start")

    def _refresh(self) -> None:
        words = self.query_one(Input).value
        found = [entry for entry in self._entries.values() if entry.matches(words)]
        lines: list[Line] = []
        width = self.query_one(_Presets).scrollable_content_region.width or 36
        for before, entry in zip([None, *found], found, strict=False):
            if before is None or before.source != entry.source:
                heading = Content.styled(f" {entry.heading}", "bold")
                lines.append(Line(f"heading {entry.source}", heading, heading=True))
            lines.append(Line(entry.name, self._row(entry, width)))
        if not found:
            nothing = f"No preset matches '{words}'." if words else "No presets found."
            lines.append(Line("nothing", Content.styled(f" {nothing}", "dim"), True))
        self.query_one(_Presets).show(lines)
        self._tell()

    def _row(self, entry: PresetEntry, width: int) -> Content:
        timed = width >= _ROOM_FOR_MINUTES
        name_width = width - 3 - _DIMENSIONS - (_MINUTES if timed else 0)
        dim = "" if entry.latent_dim is None else f"{entry.latent_dim}-D"
        parts: list[tuple[str, str]] = [
            (f"  {column(entry.name, name_width)}", "$text-error" if entry.problem else ""),
            (column(dim, _DIMENSIONS, right=True), "dim"),
        ]
        if timed:
            facts = self._facts.get(entry.name)
            expected = None if facts is None else facts.time
            time = "" if expected is None else short_duration(expected.seconds)
            parts.append((column(time, _MINUTES, right=True), "dim"))
        return Content.assemble(*parts)

    def _tell(self) -> None:
        if self.entry is not self._told:
            self._told = self.entry
            self.post_message(self.Highlighted(self._told))
