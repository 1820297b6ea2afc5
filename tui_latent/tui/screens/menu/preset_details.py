"""The preset under the cursor: data, method, latent, views, expected results, duration."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_latent.tui.format import UNKNOWN
from tui_latent.tui.screens.menu.preset_facts import PresetFacts
from tui_latent.tui.wrapping import wrap

_NO_BREAK = "\N{NO-BREAK SPACE}"
_LABEL = 10
"""cells of the labels' column"""
_ROOMY = 50
"""fewest cells at which an empty line follows the title"""


class PresetDetails(VerticalScroll, can_focus=False):
    """Describes one preset."""

    DEFAULT_CSS = """
    PresetDetails { padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    PresetDetails > Static { width: 1fr; height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._facts: PresetFacts | None = None

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, title: str, facts: PresetFacts | None) -> None:
        """Describe a preset, by its title alone while its file is being checked."""
        moved = self._facts is None or facts is None or self._facts.name != facts.name
        self._title, self._facts = title, facts
        self._draw()
        if moved:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = max(20, self.scrollable_content_region.width)
        lines: list[Content] = []
        if self._title:
            lines += [Content.styled(line, "bold") for line in wrap(self._title, width)]
            lines += [Content()] * (width >= _ROOMY)
        if self._facts is not None:
            lines += describe(self._facts, width)
        self.query_one(Static).update(Content("\n").join(lines))


def describe(facts: PresetFacts, width: int) -> list[Content]:
    """Return the lines that describe a preset in `width` cells."""
    if facts.preset is None:
        wrapped = [line for text in facts.problem.splitlines() for line in wrap(text, width)]
        return [Content.styled(line, "$text-error") for line in wrapped]
    from tui_latent.tui.screens.menu import preset_summary as words

    preset = facts.preset
    lines = _entry("data", words.data_words(preset.data, facts.source), width)
    if facts.source is not None and facts.source.problem:
        lines += _entry("", [facts.source.problem], width, "$text-error")
    lines += _entry("expect", words.expect_words(preset.expect) or [UNKNOWN], width)
    lines += _entry("time", _time_words(facts), width)
    lines += _entry("method", words.method_words(preset), width)
    lines += _entry("latent", words.latent_words(preset), width)
    channels = facts.source.shape[0] if facts.source is not None and facts.source.shape else 3
    lines += _entry("views", words.view_words(preset.augment, channels), width)
    lines += _entry("training", words.training_words(preset), width)
    if preset.about:
        lines += [Content(), *_entry("from", preset.about.split(), width, joined=" ")]
    return lines


def _time_words(facts: PresetFacts) -> list[str]:
    if facts.time is None:
        return [f"{UNKNOWN}  not measured on this device yet"]
    return facts.time.words


def _entry(
    label: str, phrases: Iterable[str], width: int, style: str = "", joined: str = " · "
) -> list[Content]:
    """Return a label and its phrases, wrapped between phrases, with a hanging indent."""
    room = max(10, width - _LABEL)
    text = joined.join(
        phrase.replace(" ", _NO_BREAK) if cell_len(phrase) <= room else phrase for phrase in phrases
    )
    wrapped = wrap(text, room) or [""]
    return [
        Content.assemble(
            (f"{label if index == 0 else '':{_LABEL}}", "dim"),
            (line.replace(_NO_BREAK, " ").removesuffix(" ·"), style),
        )
        for index, line in enumerate(wrapped)
    ]
