"""How a terminal draws images, judged by its replies and its name.

Kitty's protocol draws through Unicode placeholders: text that the terminal replaces by parts of an
image, so that tmux moves and clips it as it does any text. tmux passes the image itself on only
where `allow-passthrough` is on, and only Kitty and Ghostty know placeholders (WezTerm and Konsole
know the protocol without them, and are better served with Sixel).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from typing import Final, Literal, get_args

Way = Literal["kitty", "tmux", "iterm2", "sixel", "cells"]
"""Kitty's protocol; the same through tmux; iTerm2's; Sixel; half-blocks of two pixels each"""

NAMES: Final[Mapping[Way, str]] = {
    "kitty": "Kitty's protocol",
    "tmux": "Kitty's protocol through tmux",
    "iterm2": "iTerm2's protocol",
    "sixel": "Sixel",
    "cells": "half-blocks",
}

CHOICE: Final = "TUI_LATENT_IMAGES"
"""variable that names a way, for terminals whose replies are wrong"""

QUERY: Final = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q"
"""Kitty's graphics query, and the question for the terminal's name (XTVERSION)"""

_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)")
_TMUX_SAYS: Final = "#{allow-passthrough}|#{client_termname}|#{client_termtype}"


def may_draw_images(environment: Mapping[str, str]) -> bool:
    """Return whether real images may work here at all: not without colour, not on a console.

    A way chosen by `TUI_LATENT_IMAGES` needs no question.
    """
    terminal = environment.get("TERM", "dumb")
    return (
        "NO_COLOR" not in environment
        and chosen_way(environment) is None
        and not terminal.startswith(("dumb", "linux"))
    )


def worth_asking(environment: Mapping[str, str]) -> bool:
    """Return whether to ask the terminal for images: tmux and screen would answer for it."""
    terminal = environment.get("TERM", "dumb")
    return (
        may_draw_images(environment)
        and "TMUX" not in environment
        and "STY" not in environment
        and not terminal.startswith(("screen", "tmux"))
    )


def chosen_way(environment: Mapping[str, str]) -> Way | None:
    """Return the way that `TUI_LATENT_IMAGES` names; None where it names none."""
    return next((way for way in get_args(Way) if environment.get(CHOICE) == way), None)


def ways(reply: bytes, environment: Mapping[str, str]) -> list[Way]:
    """Return the ways in which a terminal draws images, the best first; half-blocks are last.

    `reply` is what it answered to QUERY and to the question for its attributes (DA1), in which 4
    means Sixel.
    """
    found: list[Way] = []
    name = _NAME.search(reply)
    names = (
        name[1].decode("latin-1") if name else "",
        environment.get("TERM_PROGRAM", ""),
        environment.get("LC_TERMINAL", ""),  # which SSH passes on
    )
    if any(text.startswith("iTerm") for text in names):
        found.append("iterm2")
    attributes = _ATTRIBUTES.search(reply)
    if attributes is not None and b"4" in attributes[1].split(b";")[1:]:
        found.append("sixel")
    if b"\x1b_Gi=31;OK" in reply:
        # Last: those that know the protocol without placeholders have Sixel.
        found.append("kitty")
    return [*found, "cells"]


def way_in_tmux(says: str) -> Way:
    """Return the way, given what tmux says about passthrough and the terminal that shows it."""
    passthrough, _, client = says.strip().partition("|")
    known = re.search("kitty|ghostty", client.lower())
    return "tmux" if passthrough in ("on", "all", "1", "2") and known else "cells"


def ask_tmux() -> str:
    """Return what tmux says about passthrough and its terminal; empty if it does not answer.

    It takes a few milliseconds. The variables that Kitty and others set are of no use: they say
    where tmux was started, not where it is shown.
    """
    command = ["tmux", "display-message", "-p", _TMUX_SAYS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=0.5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
