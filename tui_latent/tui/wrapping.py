"""Text broken into lines by the cells that it takes: a wide character takes two of them."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len

_PART: Final = re.compile(r"[^/_.=-]*(?:[/_.=-]|$)")
"""of a long word: paths, names of runs and settings may break after these signs"""
_WORD: Final = re.compile(r" +|[^ ]+")
_MORE: Final = " …"


def wrap(text: str, width: int, indent: str = "", most: int | None = None) -> list[str]:
    """Return the lines of a text, none wider than `width` cells; `indent` begins all but the first.

    Spaces are dropped where a line breaks, and kept elsewhere. If there are more than `most`
    lines, the last one that is kept ends in an ellipsis.
    """
    lines: list[str] = []
    line = space = ""
    for word in _WORD.findall(text.expandtabs().replace("\n", " ")):
        if word[0] == " ":
            space = word if line.strip() else ""
            continue
        for number, piece in enumerate(_pieces(word, width - cell_len(indent))):
            if line.strip() and (number or cell_len(line + space + piece) > width):
                lines.append(line)
                line, space = indent, ""
            line += space + piece
            space = ""
    lines += [line] * bool(line.strip())
    if most is not None and len(lines) > most:
        lines = [*lines[: most - 1], f"{first_cells(lines[most - 1], width - len(_MORE))}{_MORE}"]
    return lines


def break_words(text: str, width: int) -> str:
    """Return a text with line breaks inside words that are wider than `width` cells."""
    return re.sub(r"\S+", lambda word: "\n".join(_pieces(word.group(), width)), text)


def first_cells(text: str, width: int) -> str:
    """Return as many characters from the start of a text as fit into `width` cells."""
    kept = text[: max(width, 0)]
    while cell_len(kept) > width:
        kept = kept[:-1]
    return kept


def _pieces(word: str, width: int) -> list[str]:
    """Return a word in pieces of at most `width` cells, broken after signs where possible."""
    if cell_len(word) <= width:
        return [word]
    lines = [""]
    for part in _PART.findall(word):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
        while cell_len(lines[-1]) > width and len(lines[-1]) > 1:
            kept = first_cells(lines[-1], width) or lines[-1][0]
            lines[-1:] = [kept, lines[-1][len(kept) :]]
    return [line for line in lines if line]
