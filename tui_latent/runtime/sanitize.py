"""Untrusted text made safe to print: no cursor movements, no hidden or reversing characters."""

from __future__ import annotations

import re
from typing import Any, Final

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 1000

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_INVISIBLE: Final = (
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""characters that change the writing direction, end a line, or are invisible"""
_CONTROLS: Final = re.compile(rf"[\x00-\x08\x0a-\x1f\x7f-\x9f{_INVISIBLE}]")


def plain_line(text: str) -> str:
    """Return a line as plain text: no colours, no cursor movements, no control characters.

    A progress bar that redraws itself with carriage returns is reduced to its last state.
    """
    text = _ESCAPES.sub("", text).rstrip("\r").rpartition("\r")[2]
    return _CONTROLS.sub("", text).expandtabs(4)


def printable(text: str) -> str:
    """Replace control characters, undecodable bytes and the like by U+FFFD."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain_name(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a `printable` name of at most `longest` characters: a longer one loses its middle."""
    if len(text) > longest:
        text = f"{text[: longest // 2]}…{text[-(longest // 2 - 1) :]}"
    return printable(text)


def plain_text(text: str) -> str:
    """Return a message of a few lines, each cleaned like a name of at most 1,000 characters."""
    return "\n".join(plain_name(line, LONGEST_TEXT) for line in text.split("\n"))


def plain_values(value: Any) -> Any:
    """Return a table, list or text with all texts and keys in it cleaned."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict):
        return {plain_name(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_values(item) for item in value]
    return value
