"""How many colours a terminal shows, from its environment: Textual looks at COLORTERM only.

SSH passes on TERM but not COLORTERM, so a 24-bit terminal would get 256 colours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

Depth = Literal["none", "16", "256", "24-bit"]

_VARIABLE: Final = "TEXTUAL_COLOR_SYSTEM"
_TRUE: Final = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "rio")
"""what TERM starts with on 24-bit terminals"""


def color_depth(environment: Mapping[str, str]) -> Depth:
    """Return how many colours may be used."""
    terminal = environment.get("TERM", "dumb").lower()
    if "NO_COLOR" in environment or terminal in ("dumb", "unknown"):
        return "none"
    said = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    if said or terminal.startswith(_TRUE) or terminal.endswith("-direct"):
        return "24-bit"
    return "256" if terminal.endswith(("256color", "kitty")) else "16"


def use_all_colors() -> None:
    """Let Textual use 24 bits where TERM names such a terminal; call this before importing it."""
    if color_depth(os.environ) == "24-bit":
        os.environ.setdefault(_VARIABLE, "truecolor")
