"""Text that fits: measured before it is drawn, and only of characters that the font has."""

from __future__ import annotations

from functools import cache

from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

from tui_latent.reports.style import FONT

_ABSENT = "□"
_POINTS_PER_INCH = 72
_NARROWEST = 0.2
"""least ratio of a letter's width to its size; longer texts need no measuring"""


def drawable(text: str) -> str:
    """Return the text in one line, with `□` for what the font cannot draw."""
    known = _characters()
    single = " ".join(text.split())
    return "".join(c if ord(c) in known and c.isprintable() else _ABSENT for c in single)


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width in inches of a drawable text at `size` points."""
    font = FontProperties(family=FONT, size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _POINTS_PER_INCH


def fit(text: str, width: float, size: float, weight: str = "normal") -> str:
    """Shorten a text to `width` inches in its middle, because names differ at both ends."""
    text = drawable(text)
    most = int(width * _POINTS_PER_INCH / size / _NARROWEST)
    if len(text) <= most and text_width(text, size, weight) <= width:
        return text
    kept = min(len(text), most)
    while kept > 1:
        kept -= 1
        head = (kept + 1) // 2
        shorter = f"{text[:head]}…{text[len(text) - (kept - head) :]}"
        if text_width(shorter, size, weight) <= width:
            return shorter
    return "…"


def shown_name(name: str) -> str:
    """Return a class's name with drawable characters, whatever its length."""
    return drawable(name) or "(no name)"


def name_to_fit(name: str, width: float, size: float, weight: str = "normal") -> str:
    """Return a class's name, shortened to `width` inches."""
    return fit(shown_name(name), width, size, weight)


def wrap(words: list[str], width: float, size: float, joint: str = " ") -> list[str]:
    """Put words into lines of at most `width` inches; a word that is longer is shortened."""
    lines: list[str] = []
    for word in (fit(word, width, size) for word in words):
        longer = f"{lines[-1]}{joint}{word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _characters() -> frozenset[int]:
    return frozenset(FT2Font(findfont(FontProperties(family=FONT))).get_charmap())
