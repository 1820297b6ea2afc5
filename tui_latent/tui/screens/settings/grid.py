"""Settings edited in place: one input that moves with the cursor.

With an input per setting, opening the form took 1.5 s of CPU time on a 2-core machine; one input
over one drawn table opens at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from tui_latent.config.preset_fields import PresetField
from tui_latent.tui.format import column
from tui_latent.tui.keymap import bindings
from tui_latent.tui.screens.settings.draft import SettingsDraft
from tui_latent.tui.screens.settings.model_suggester import ModelSuggester
from tui_latent.tui.widgets.line_input import LineInput
from tui_latent.tui.widgets.path_suggester import PathSuggester

_MARK, _KEY = 3, 19
_VALUE_NARROW, _VALUE = 16, 24
_PATHS = ("data.path", "data.root", "data.weights")
_WIDE = 100
"""fewest cells at which the values' column has its full width"""


class SettingInput(LineInput):
    """Edits one value; left, right and first letters select among choices."""

    DEFAULT_CSS = """
    SettingInput { position: absolute; }
    SettingInput:focus { background: $accent 30%; }
    """

    def __init__(self) -> None:
        super().__init__(select_on_focus=False)
        self.choices: tuple[str, ...] = ()
        self.open: tuple[str, ...] = ()
        """beginnings of values that are written out, such as timm:"""

    @property
    def _choosing(self) -> bool:
        """Whether keys select among the choices instead of editing the text."""
        return bool(self.choices) and not (self.open and self.value.startswith(self.open))

    def action_cursor_left(self, select: bool = False) -> None:
        """Move the cursor, or select the previous choice."""
        if self._choosing or self.value in self.choices:
            self._choose(-1)
        else:
            super().action_cursor_left(select)

    def action_cursor_right(self, select: bool = False) -> None:
        """Move the cursor, or select the next choice."""
        if self._choosing or self.value in self.choices:
            self._choose(1)
        else:
            super().action_cursor_right(select)

    async def _on_key(self, event: events.Key) -> None:
        over = self.choices and self.selection == Selection(0, len(self.value))
        if (self._choosing or over) and event.is_printable:
            event.stop()
            event.prevent_default()
            letter = "" if event.character == " " else event.character or ""
            self._choose(1, letter)
        elif self._choosing and event.key in ("backspace", "delete"):
            event.stop()
            event.prevent_default()

    def _choose(self, way: int, letter: str = "") -> None:
        """Select the nearest other choice in a direction that begins with a letter."""
        here = self.choices.index(self.value) if self.value in self.choices else -1
        for distance in range(1, len(self.choices) + 1):
            choice = self.choices[(here + way * distance) % len(self.choices)]
            if choice.startswith(letter):
                self.value = choice
                self.cursor_position = len(choice)
                return


class SettingsGrid(VerticalScroll, can_focus=False):
    """Every setting under its table's name: its value, and its help or its error."""

    DEFAULT_CSS = """
    SettingsGrid { scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    SettingsGrid > Static { width: 1fr; height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    BINDINGS = bindings("settings grid")

    class Changed(Message):
        """A value or the cursor changed."""

    def __init__(self, draft: SettingsDraft) -> None:
        super().__init__()
        self._draft = draft
        self._lines: list[str | None] = []
        """key of the setting on each line; None for headings"""
        self._words = ""
        self.current = next(iter(draft.fields))
        """key of the setting under the cursor"""

    @property
    def field(self) -> PresetField:
        """The setting under the cursor."""
        return self._draft.fields[self.current]

    def compose(self) -> ComposeResult:
        yield Static(markup=False)
        yield SettingInput()

    def on_mount(self) -> None:
        self._go_to(self.current)

    def on_resize(self) -> None:
        """Write the lines for the new width, and keep the cursor in view."""
        self._draw()
        if self.current in self._lines:
            self.call_after_refresh(self._show_cursor)

    def focus_value(self) -> None:
        """Move the focus to the value."""
        self.screen.set_focus(self.query_one(SettingInput))

    def filter(self, words: str) -> None:
        """Show only the settings whose key or help contains every word."""
        self._words = words
        keys = self._keys()
        if keys and self.current not in keys:
            self._go_to(keys[0])
            return
        self._draw()
        if keys:
            self.call_after_refresh(self._show_cursor)

    def go_to_error(self) -> None:
        """Move the cursor to the first setting with an error."""
        wrong = [key for key in self._draft.fields if key in self._draft.errors]
        if wrong:
            self._words = ""
            self._go_to(wrong[0])
            self.call_after_refresh(self._show_cursor)  # among all settings, once they are laid out

    def action_move(self, by: int) -> None:
        """Go to a setting below or above."""
        keys = self._keys()
        if self.current in keys:
            place = keys.index(self.current) + by
            self._go_to(keys[min(max(place, 0), len(keys) - 1)])

    def action_reset(self) -> None:
        """Restore the preset's value."""
        self._draft.reset(self.current)
        self._go_to(self.current)

    @on(Input.Changed)
    def take_over(self, event: Input.Changed) -> None:
        """Validate the value as it is typed."""
        event.stop()
        self._write()
        self._draw()
        self.post_message(self.Changed())

    @on(events.Click)
    def go_to_line(self, event: events.Click) -> None:
        """Go to the setting that was clicked."""
        line = event.screen_y - self.query_one(Static).region.y
        key = self._lines[line] if 0 <= line < len(self._lines) else None
        if key is not None:
            self._go_to(key)
            self.focus_value()

    def take_typed(self) -> None:
        """Store the text in the input, even if its `Changed` message has not arrived yet."""
        self._write()

    def _write(self) -> None:
        # The input's text always belongs to the current setting; its messages may be late.
        text = self.query_one(SettingInput).value
        if text != self._draft.texts[self.current]:
            self._draft.write(self.current, text)

    def _go_to(self, key: str) -> None:
        if key != self.current:
            self._write()
        self.current = key
        editor = self.query_one(SettingInput)
        with editor.prevent(Input.Changed):
            editor.choices, editor.open = _choices(self.field), self.field.open
            editor.suggester = PathSuggester() if key in _PATHS else ModelSuggester()
            editor.value = self._draft.texts[key]
        editor.select_all()  # typing replaces the value, moving the cursor keeps it
        self._draw()
        self._show_cursor()
        self.post_message(self.Changed())

    def _show_cursor(self) -> None:
        """Scroll just enough to show the cursor, with a line above and below it."""
        self.scroll_to_region(Region(0, max(0, self._line() - 1), 1, 3), animate=False, force=True)

    def _line(self) -> int:
        return self._lines.index(self.current)

    def _keys(self) -> list[str]:
        words = self._words.lower().split()
        return [
            key
            for key, field in self._draft.fields.items()
            if all(word in f"{key} {field.help}".lower() for word in words)
        ]

    def _draw(self) -> None:
        width = self.scrollable_content_region.width
        rows: list[Content] = []
        self._lines = []
        table, changed = "", self._draft.changed_rows()
        for key in self._keys():
            if key.rpartition(".")[0] != table:
                table = key.rpartition(".")[0]
                self._lines.append(None)
                rows.append(Content.styled(f" {self._heading(table)}", "bold dim"))
            self._lines.append(key)
            rows.append(self._row(self._draft.fields[key], key in changed, width))
        if not rows:
            rows.append(Content.styled(f" No setting matches '{self._words}'.", "dim"))
        self.query_one(Static).update(Content("\n").join(rows))
        editor = self.query_one(SettingInput)
        editor.display = self.current in self._lines
        if editor.display:
            editor.styles.offset = (_MARK + _KEY, self._line())
            editor.styles.width = _value_width(width)
            editor.placeholder = self._draft.varied(self.current, _value_width(width) - 1)

    def _heading(self, table: str) -> str:
        """Return the heading of a table; that of a stage has the stage's title."""
        _, stages, number = table.partition("stages.")
        if number == "*":
            return f"{table} · all stages at once"
        title = self._draft.stage_title(number) if stages else ""
        return f"{table} · {title}" if title else table

    def _row(self, field: PresetField, changed: bool, width: int) -> Content:
        key = field.key.rpartition(".")[2]
        error = self._draft.error_of(field.key)
        varied = self._draft.varied(field.key, _value_width(width))
        value = varied or self._draft.texts[field.key]
        beside = self._draft.idle.get(field.key) or field.help
        here = field.key == self.current
        return Content.assemble(
            (f" {'▸' if here else ' '}{'*' if changed else ' '}", "bold"),
            (column(key, _KEY), "bold" if here or changed else ""),
            (
                column(value, _value_width(width)),
                "dim" if varied else "bold" if changed else "",
            ),
            (f"  ✗ {error}" if error else f"  {beside}", "$text-error" if error else "dim"),
        )


def _value_width(width: int) -> int:
    return _VALUE if width >= _WIDE else _VALUE_NARROW


def _choices(field: PresetField) -> tuple[str, ...]:
    return ("off", "on") if field.kind == "flag" else field.choices


def described(draft: SettingsDraft, field: PresetField, whose: str) -> Sequence[Content]:
    """Return a setting's full help and the value it began with, or its error.

    `whose` values those are is `preset` or `run`.
    """
    own = draft.preset_text(field.key) or "empty"
    lines = [Content.assemble((field.key, "bold"), f"  {field.help}")]
    if error := draft.error_of(field.key) or draft.errors.get(""):
        return [*lines, Content.styled(f"✗ {error}", "$text-error")]
    choices = _choices(field)
    ways = f"  ·  left, right: {', '.join(choices)}" if choices else ""
    ways = "  ·  right: complete the path" if field.key in _PATHS else ways
    if idle := draft.idle.get(field.key):
        return [*lines, Content.styled(idle, "dim")]
    return [*lines, Content.styled(f"in the {whose}: {own}{ways}", "dim")]
