"""The parts of an evaluation as text: metrics, classes, confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from tui_latent.analysis.evaluation_table import (
    class_rows,
    confusion_reason,
    figure,
    figure_rows,
)
from tui_latent.analysis.spectrum_words import drawable_spectrum, spectrum_words
from tui_latent.nouns import counted
from tui_latent.palettes import class_variable
from tui_latent.runs.confusion import confused_pairs
from tui_latent.tui.format import UNKNOWN, clip, column
from tui_latent.tui.screens.evaluation.roc_panel import roc_curves
from tui_latent.tui.wrapping import first_cells, wrap

Found = Mapping[str, Any]
Matrix = Sequence[Sequence[int]]

_NAME: Final = 12
"""cells of a class name in a table"""
_LABEL: Final = 8
"""cells of a class name beside a matrix"""
_SHADES: Final = " ░▒▓█"
_WRONG: Final = 0.1
"""smallest share of a class confused with another that is highlighted"""


def figures(found: Found, width: int) -> Content:
    """Write notes and metrics; missing ones are dim, a collapse is highlighted."""
    lines = [
        Content.styled(part, "$text-warning") for n in found["notes"] for part in wrap(n, width)
    ]
    rows = figure_rows(found)
    room = max(cell_len(name) for name, _ in rows) + 2
    for name, text in rows:
        style = ""
        if text.startswith("not measured:"):
            style = "dim"
        elif text.startswith("collapse:"):
            style = "bold $text-warning"
        for index, part in enumerate(_flowed(text, max(width - room, 20))):
            label = "" if index else name
            lines.append(Content.assemble((f"{label:<{room}}", "dim"), (part, style)))
    return Content("\n").join(lines)


def _flowed(text: str, width: int) -> list[str]:
    """Break a line between metrics, which are two spaces apart, or else at words."""
    indent = " " * (len(text) - len(text.lstrip()))
    lines: list[str] = []
    for piece in text.strip().split("  "):
        if lines and cell_len(lines[-1]) + 2 + cell_len(piece) <= width:
            lines[-1] += f"  {piece}"
        else:
            lines += [indent + part for part in wrap(piece, width - len(indent))]
    return lines


def is_readable(found: Found) -> bool:
    """Return whether every part of an evaluation can be shown: its file may be damaged."""
    try:
        figures(found, 80)
        class_table(found, True)
        cluster_table(cluster_rows(found), 80)
        roc_curves(found)
        for part in ("knn_train", "knn_held_out"):
            if not confusion_reason(found, part):
                confusion_table(found[part]["confusion"], found["class_names"], 80, True)
        if len(drawable_spectrum(found)):
            spectrum_words(found)
        measured_at(found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError):
        return False
    return True


def measured_at(found: Found) -> str:
    """Return an evaluation's step and when it was made."""
    day, _, clock = str(found["made"]).partition("T")
    return f"step {found['step']:,} · evaluated {day} {clock[:5]}"


def class_table(found: Found, colored: bool, at: int | None = None) -> Content:
    """Write precision, recall, F1, images, and the AUC with the class as outliers, per class.

    The row `at` is highlighted; each knows its place, for clicks.
    """
    rows = class_rows(found)
    if not rows:
        return Content.styled(confusion_reason(found, "knn_held_out") or UNKNOWN, "dim")
    room = min(max(cell_len(name) for name, _, _ in rows), _NAME)
    header = f"{'':<{room + 2}}  prec.  recall     F1  images    AUC"
    lines = [Content.styled(header, "dim")]
    for index, (name, scores, auc) in enumerate(rows):
        values = (scores["precision"], scores["recall"], scores["f1"])
        shares = "".join(f"{figure(value):>7}" for value in values)
        text = f" {column(name, room)}{shares} {scores['support']:>7,}{figure(auc):>7}"
        line = Content.assemble(_dot(index, colored), (text, "reverse" if index == at else ""))
        lines.append(line.stylize(_place(index, 0)))
    return Content("\n").join(lines)


def cluster_rows(found: Found) -> Sequence[Found]:
    """Return the rows of an evaluation's clusters; none where they were not measured."""
    rows: Sequence[Found] = found.get("clustering", {}).get("rows", ())
    return rows


def cluster_table(rows: Sequence[Found], width: int, at: int | None = None) -> Content:
    """Write of each cluster its images and what they are, as far as is known.

    The row `at` is highlighted; each knows its place, for clicks.
    """
    lines = []
    for index, row in enumerate(rows):
        images = counted(row["images"], "image")
        classes = ", ".join(f"{count:,} of {clip(name, _NAME)}" for name, count in row["classes"])
        about = classes or f"such as image {row['image']:,}"
        text = clip(f"{images:>14}   {about}", width)
        line = Content.styled(text, "reverse" if index == at else "")
        lines.append(line.stylize(_place(index, 0)))
    return Content("\n").join(lines)


def confusion_table(
    matrix: Matrix,
    names: Sequence[str],
    width: int,
    colored: bool,
    at: tuple[int, int] | None = None,
) -> Content:
    """Write a confusion matrix with as much detail as fits into `width` cells.

    Rows are true classes. As counts, else as percent of each row, else as shades, else as the
    most frequently confused pairs. The cell `at` is highlighted, and named below; every cell
    knows its place, for clicks.
    """
    table = _table(matrix, names, width, colored, at)
    if at is None:
        return table
    return Content("\n").join([table, Content.styled(_cell_words(matrix, names, at), "dim")])


def _cell_words(matrix: Matrix, names: Sequence[str], at: tuple[int, int]) -> str:
    truth, called = at
    count, total = matrix[truth][called], sum(matrix[truth])
    share = f"{count:,} of {counted(total, 'image')} of {names[truth]}"
    return f"{share} recognised" if truth == called else f"{share} → {names[called]}"


def _table(
    matrix: Matrix,
    names: Sequence[str],
    width: int,
    colored: bool,
    at: tuple[int, int] | None,
) -> Content:
    longest = max(cell_len(name) for name in names)
    room = (width - min(longest, _LABEL) - 2) // len(names)

    def label(size: int) -> int:
        """Return the width that is left for the names of the rows."""
        return min(longest, width - size * len(names) - 2)

    counts = max(len(str(count)) for row in matrix for count in row) + 1
    if room >= min(max(counts, 4), 7):
        return _cells(
            matrix,
            names,
            label(max(counts, 4)),
            max(counts, 4),
            colored,
            [[str(c) if c else "·" for c in r] for r in matrix],
            at,
        )
    if room >= 4:
        shares = [_percent(row) for row in matrix]
        return _cells(matrix, names, label(4), 4, colored, shares, at)
    if room >= 1:
        return _shaded(matrix, names, label(1), colored, at)
    return _pairs(matrix, names)


def _cells(
    matrix: Matrix,
    names: Sequence[str],
    label: int,
    size: int,
    colored: bool,
    texts: Sequence[Sequence[str]],
    at: tuple[int, int] | None,
) -> Content:
    heads = "".join(column(first_cells(name, size - 1), size, right=True) for name in names)
    lines = [Content.styled(" " * (label + 2) + heads, "dim")]
    for truth, row in enumerate(texts):
        total = sum(matrix[truth])
        parts: list[Content] = []
        for called, text in enumerate(row):
            much = total and matrix[truth][called] >= _WRONG * total
            style = "bold" if called == truth else "bold $text-warning" if much else "dim"
            style = "bold reverse" if (truth, called) == at else style
            cell = Content.styled(text.rjust(size), style)
            parts.append(cell.stylize(_place(truth, called)))
        name = f" {column(names[truth], label)}"
        lines.append(Content.assemble(_dot(truth, colored), name, *parts))
    return Content("\n").join(lines)


def _percent(row: Sequence[int]) -> list[str]:
    total = sum(row)
    shares = [100 * count / total if total else 0.0 for count in row]
    return [
        "·" if not count else f"{share:.0f}" if share >= 1 else "<1"
        for count, share in zip(row, shares, strict=True)
    ]


def _place(truth: int, called: int) -> Style:
    """Return the style that tells a click which cell it hit."""
    return Style.from_meta({"cell": (truth, called)})


def _shaded(
    matrix: Matrix,
    names: Sequence[str],
    label: int,
    colored: bool,
    at: tuple[int, int] | None,
) -> Content:
    lines = []
    for truth, row in enumerate(matrix):
        largest = max(*row, 1)
        marks = [
            Content.styled(
                _SHADES[-(-(len(_SHADES) - 1) * count // largest)],
                "reverse" if (truth, called) == at else "",
            ).stylize(_place(truth, called))
            for called, count in enumerate(row)
        ]
        name = f" {column(names[truth], label)}"
        lines.append(Content.assemble(_dot(truth, colored), name, *marks))
    return Content("\n").join(lines)


def _pairs(matrix: Matrix, names: Sequence[str]) -> Content:
    mixed = confused_pairs(matrix, 20)
    lines = [
        f"{clip(names[a], _NAME)} → {clip(names[b], _NAME)}  {count:,}" for a, b, count in mixed
    ]
    return Content("\n".join(["confused with:", *(lines or ["no errors"])]))


def _dot(index: int, colored: bool) -> tuple[str, str]:
    return ("●", class_variable(index) if colored else "")
