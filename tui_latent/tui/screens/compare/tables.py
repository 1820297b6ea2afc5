"""The text of a comparison: names, numbers, and the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from tui_latent.comparison import Comparison, MetricRow, difference_text
from tui_latent.differing_settings import setting_text
from tui_latent.number_format import without_zero
from tui_latent.palettes import RGB, class_glyph, css_color, run_colors
from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.format import STATE_GLYPHS, clip, clock, column, number, share
from tui_latent.tui.wrapping import first_cells, wrap
from tui_latent.verdict.comparing import comparison_line

_KEY: Final = 22
"""cells of a metric's or a setting's name at most"""
_FIXED: Final = 34
"""cells of a run's line besides its name and its method"""
_BEFORE_PAIRED: Final = 5
"""metrics above the sentences on what the runs have in common: accuracies and losses, which are
listed first"""
_LEAST_KEY, _LEAST_SETTING = 8, 7
"""fewest cells of a name, and of the value of a setting: a number of four digits stays whole"""
_LAST, _CHANGE, _BEST = 7, 8, 8
"""cells of a newest value, of its difference, of a best value"""


def colors_of(shown: Comparison, dark: bool = True) -> list[RGB]:
    """Return the colour of each run on a dark or on a light background."""
    colors = run_colors((run.name for run in shown.runs), dark)
    return [colors[run.name] for run in shown.runs]


def run_mark(index: int, color: RGB, colored: bool) -> tuple[str, str]:
    """Return the mark of a run and its style: a coloured dot, or a character."""
    return ("●", css_color(color)) if colored else (class_glyph(index), "bold")


class RunNames(Static):
    """One line per run: colour, name, progress; then the verdict and caveats."""

    DEFAULT_CSS = """
    RunNames { height: auto; max-height: 10; padding: 0 1; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._shown: Comparison | None = None
        self._written = Content()

    def show(self, shown: Comparison) -> None:
        """Show the runs' lines, and caveats below them."""
        self._shown = shown
        self._refresh_lines()

    def on_resize(self) -> None:
        self._refresh_lines()

    def _refresh_lines(self) -> None:
        if self._shown is None:
            return
        width, shown = self.content_size.width or 80, self._shown
        colors = colors_of(shown, self.app.current_theme.dark)
        marks = zip(shown.runs, colors, strict=True)
        longest = max(cell_len(run.name) for run in shown.runs)
        lines = [
            run_line(run, run_mark(index, color, not self.app.no_color), width, longest)
            for index, (run, color) in enumerate(marks)
        ]
        if verdict := comparison_line(shown):
            wrapped = wrap(verdict, width) or [""]
            shown_lines = [wrapped[0], clip_end(" ".join(wrapped[1:]), width)][: len(wrapped)]
            lines += [Content.styled(line, "bold") for line in shown_lines]
        lines += [Content.styled(clip_note(note, width), "dim") for note in shown.notes]
        content = Content("\n").join(lines)
        if not content.is_same(self._written):
            self._written = content
            self.update(content)  # repaints the lines


def run_line(run: RunSnapshot, mark: tuple[str, str], width: int, longest: int) -> Content:
    """Write a run in `width` cells, below others whose names have `longest` cells at most."""
    status, method = run.status, run.preset.get("method", {})
    name = max(16, min(48, width - 46, longest))
    room = width - name - _FIXED
    width_of_latents = f" {method['latent_dim']}-D" if "latent_dim" in method else ""
    facts = f"{method.get('name', '')}{width_of_latents}"
    style = {"failed": "$text-error", "running": "bold", "paused": "bold"}.get(status.state, "")
    opened = run.origin == "opened" and status.state == "finished"
    state = "opened" if opened else status.state_word
    return Content.assemble(
        mark,
        f" {column(run.name, name)}  ",
        (column(f"{STATE_GLYPHS[status.state_word]} {state}", 13), style),
        column(share(status.step, status.total_steps), 7, right=True),
        column(clock(status.seconds), 8, right=True),
        (f"  {clip(facts, room)}" if room > 8 else "", "dim"),
    )


def clip_end(text: str, width: int) -> str:
    """Shorten a sentence at its end, by whole words: a number is never cut."""
    if cell_len(text) <= width:
        return text
    return f"{first_cells(text, width - 1).rpartition(' ')[0]}…"


def clip_note(text: str, width: int) -> str:
    """Shorten a note in its parentheses: what follows from them matters more."""
    start, closing, conclusion = text.partition("): ")
    room = width - cell_len(closing + conclusion) - 2
    kept = first_cells(start, room + 1).rpartition(" ")[0]
    if cell_len(text) <= width or not closing or "(" not in kept:
        return clip_end(text, width)
    return f"{kept} …{closing}{conclusion}"


def number_lines(
    shown: Comparison,
    width: int,
    colored: bool,
    dark: bool = True,
    paired: Sequence[str] = (),
) -> list[Content]:
    """Write the newest values of each metric, with differences and best values if they fit.

    `paired` are sentences on what the runs have in common, image by image.
    """
    together = _paired_lines(paired, width)
    if not shown.metrics:
        none = "Numbers appear after the first records of a run."
        return [*together, Content.styled(none, "dim")]
    key, size, with_change, with_best = _number_columns(shown, width)
    count = _fitting(shown, width, _LAST)
    lines = [_heads(shown, key, size, colored, dark, count)]
    rows = [_number_line(row, key, size, with_change, with_best, count) for row in shown.metrics]
    return [*lines, *rows[:_BEFORE_PAIRED], *together, *rows[_BEFORE_PAIRED:]]


def _paired_lines(sentences: Sequence[str], width: int) -> list[Content]:
    """Write sentences below a heading, the second and later lines of each indented."""
    if not sentences:
        return []
    lines = [Content(""), Content.styled("Image by image", "bold")]
    for sentence in sentences:
        lines += map(Content, wrap(sentence, max(width - 1, 20), indent="  "))
    return [*lines, Content("")]


def _number_columns(shown: Comparison, width: int) -> tuple[int, int, bool, bool]:
    """Return the cells of a name and of a run, and whether differences and best values fit."""
    count = _fitting(shown, width, _LAST)
    longest = max((len(row.spec.title) for row in shown.metrics), default=0)
    key = min(_KEY, max(_LEAST_KEY, width - count * _LAST), longest + 1)
    room = (width - key) // count
    with_change, with_best = room >= _LAST + _CHANGE, room >= _LAST + _CHANGE + _BEST
    size = min(room, _LAST + _CHANGE * with_change + _BEST * with_best + 2)
    return key, size, with_change, with_best


def _fitting(shown: Comparison, width: int, least: int) -> int:
    """Return how many runs have at least `least` cells each beside a name."""
    return min(len(shown.runs), max((width - _LEAST_KEY) // least, 1))


def _how_many(shown: Comparison, width: int, least: int) -> str:
    """Say how many of the runs fit; nothing if all of them do."""
    fit, count = _fitting(shown, width, least), len(shown.runs)
    return "" if fit == count else f" · {fit} of {count} runs"


def _heads(
    shown: Comparison, key: int, size: int, colored: bool, dark: bool, count: int
) -> Content:
    parts: list[Any] = [" " * key]
    heads = list(zip(shown.labels, colors_of(shown, dark), strict=True))
    for index, (label, color) in enumerate(heads[:count]):
        mark = run_mark(index, color, colored)
        parts += [mark, (f" {column(label, max(size - 3, 1))} ", "bold")]
    return Content.assemble(*parts)


def _number_line(
    row: MetricRow, key: int, size: int, with_change: bool, with_best: bool, count: int
) -> Content:
    parts: list[Any] = [(column(metric_name(row.spec.title, key - 1), key - 1) + " ", "dim")]
    # A star belongs to a value that is shown: a run that was ahead once may be behind now.
    winners = row.winners() if with_best else row.ahead_now()
    values = list(zip(row.last, row.best, strict=True))
    for index, (last, best) in enumerate(values[:count]):
        bold = "bold" if index in winners else ""
        star = "*" if index in winners else ""
        text = column(number(last) + (star if not with_best else ""), _LAST)
        parts.append((text, "" if with_best else bold))
        used = _LAST
        if with_change:
            parts.append((column(without_zero(difference_text(row, index)), _CHANGE), "dim"))
            used += _CHANGE
        if with_best:
            parts.append((column("" if best is None else number(best) + star, _BEST), bold))
            used += _BEST
        parts.append(" " * (size - used))
    return Content.assemble(*parts)


def metric_name(title: str, width: int) -> str:
    """Shorten a metric's title: what is measured gives way last, because of the k of a kNN."""
    what, comma, where = title.partition(", ")
    room = width - cell_len(what) - 2
    if cell_len(title) <= width or not comma:
        return clip(title, width)
    return f"{what}, {clip(where, room)}" if room >= 3 else clip(what, width)


def number_titles(shown: Comparison, width: int) -> tuple[str, ...]:
    """Return the titles of the numbers that fit `width` cells of them, the fullest first."""
    _, _, with_change, with_best = _number_columns(shown, width)
    parts = ["newest", *(["difference from the first"] if with_change else [])]
    words = ", ".join([*parts, *(["best"] if with_best else [])])
    fit = _how_many(shown, width, _LAST)
    star = "* best of all" if with_best else "* the best"
    return (
        f"Numbers · {words} ({star}){fit}",
        f"Numbers · newest ({star}){fit}",
        f"Numbers{fit}",
    )


def setting_lines(shown: Comparison, width: int, colored: bool, dark: bool = True) -> list[Content]:
    """Write the settings that differ, under the names of their tables."""
    if not shown.settings:
        return [Content.styled("The presets have the same settings.", "dim")]
    count = _fitting(shown, width, _LEAST_SETTING)
    names = [row.key.rpartition(".") for row in shown.settings]
    longest = max(len(name) for _, _, name in names) + 2
    key = max(_LEAST_KEY, min(longest, width - count * _LEAST_SETTING))
    size = (width - key) // count
    lines = [_heads(shown, key, size, colored, dark, count)]
    table = ""
    for row, (of_table, _, name) in zip(shown.settings, names, strict=True):
        if of_table != table:
            table = of_table
            lines.append(Content.styled(column(table, width), "bold dim"))
        parts: list[Any] = [(f" {column(name, key - 2)} ", "dim")]
        for value in row.values[:count]:
            text = column(setting_text(value).removeprefix("0" * _below_one(value)), size - 1)
            parts.append((f"{text} ", "dim" if value is None else ""))
        lines.append(Content.assemble(*parts))
    return lines


def _below_one(value: Any) -> bool:
    return isinstance(value, float) and 0 < value < 1


def setting_titles(shown: Comparison, width: int) -> tuple[str, ...]:
    """Return the titles of the settings, the fullest first."""
    count = len(shown.settings)
    if not count:
        return ("Settings",)
    fit = _how_many(shown, width, _LEAST_SETTING)
    return (f"Settings · {count} differ{'s' * (count == 1)}{fit}", f"Settings{fit}")
