"""Asks the terminal, before the screen opens, what it can draw and how light its background is.

All questions go out in one write, and are answered while Textual is being imported. Every terminal
answers the last one (DA1), which ends the wait; a silent terminal is given a short time. Keys typed
meanwhile arrive among the replies, and are kept for the dashboard.
"""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tui_latent.tui.charts.terminal_images import (
    QUERY,
    Way,
    ask_tmux,
    chosen_way,
    may_draw_images,
    way_in_tmux,
    ways,
    worth_asking,
)

BACKGROUND: Final = b"\x1b]11;?\x1b\\"
"""the question for the background's colour (OSC 11)"""
ATTRIBUTES: Final = b"\x1b[c"
"""the question for the device attributes (DA1)"""

_WAIT, _WAIT_FAR = 0.2, 1.0
"""seconds that a reply may take, locally and over SSH; importing Textual takes most of them"""

_ENDS = re.compile(rb"\x1b\[\?[\d;]*c")
_REPLIES = re.compile(
    rb"\x1b\[\?[\d;]*c"  # DA1
    rb"|\x1b_G[^\x1b]*\x1b\\"  # Kitty
    rb"|\x1bP>\|[^\x1b]*\x1b\\"  # XTVERSION
    rb"|\x1b\]11;[^\x07\x1b]*(?:\x07|\x1b\\)"
)
_COLOUR = re.compile(rb"\x1b\]11;rgba?:([\da-fA-F]{1,4})/([\da-fA-F]{1,4})/([\da-fA-F]{1,4})")


@dataclass
class Answers:
    """What the terminal has replied."""

    light: bool | None = None
    """whether the background is light; None if unknown"""
    ways: list[Way] = field(default_factory=lambda: ["cells"])
    """ways in which images can be drawn, best first"""
    typed: bytes = b""
    """what came among the replies but is not a reply: typed keys"""


@contextmanager
def asking_the_terminal() -> Iterator[Answers]:
    """Send the questions on entry; on exit, read the replies into the answers."""
    answers = Answers(light=light_by_variable(os.environ))
    if (chosen := chosen_way(os.environ)) is not None:
        answers.ways = [chosen]
    source, sink = sys.__stdin__, sys.__stdout__
    if not (source and sink and source.isatty() and sink.isatty() and may_be_asked(os.environ)):
        yield answers
        return
    before = termios.tcgetattr(source.fileno())
    tty.setcbreak(source.fileno(), termios.TCSANOW)  # so that the reply is not echoed
    asked = time.monotonic()
    try:
        os.write(sink.fileno(), questions(os.environ))
        yield answers
        far = "SSH_CONNECTION" in os.environ
        reply = _read_reply(source.fileno(), asked + (_WAIT_FAR if far else _WAIT))
    finally:
        termios.tcsetattr(source.fileno(), termios.TCSANOW, before)
    answers.typed = _REPLIES.sub(b"", reply)
    light = is_light(reply)
    answers.light = answers.light if light is None else light
    if worth_asking(os.environ):
        answers.ways = ways(reply, os.environ)
    elif "TMUX" in os.environ and may_draw_images(os.environ):
        answers.ways = list(dict.fromkeys([way_in_tmux(ask_tmux()), "cells"]))


def may_be_asked(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal may be asked: a console would show or obey the questions."""
    return not environment.get("TERM", "dumb").startswith(("dumb", "linux", "unknown"))


def questions(environment: Mapping[str, str]) -> bytes:
    """Return what to write; the question that every terminal answers comes last."""
    images = QUERY if worth_asking(environment) else b""
    return BACKGROUND + images + ATTRIBUTES


def is_light(reply: bytes) -> bool | None:
    """Return whether the background in a reply is light; None if there is none in it."""
    found = _COLOUR.search(reply)
    if found is None:
        return None
    red, green, blue = (int(part, 16) / float(16 ** len(part) - 1) for part in found.groups())
    luma: float = 0.299 * red + 0.587 * green + 0.114 * blue  # BT.601
    return luma > 0.5


def light_by_variable(environment: Mapping[str, str]) -> bool | None:
    """Return whether COLORFGBG names a white background (7 or 15); None if it is not set."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "15") if background.isdigit() else None


def _read_reply(descriptor: int, until: float) -> bytes:
    """Read up to the end of the device attributes, or until the timeout."""
    reply = b""
    while not _ENDS.search(reply):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            break
        reply += os.read(descriptor, 256)
    return reply
