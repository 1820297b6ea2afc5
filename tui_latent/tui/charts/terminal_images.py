"""Asks the terminal, before the screen opens, whether it can draw real images (Kitty or Sixel).

textual-image asks too, but only while it is imported, which takes 0.5 s on a 2-core machine. So
the question is asked here first, in one write, and answered while Textual is being imported; only
a terminal that says yes pays for the other import. Every terminal answers the second half of the
question (DA1), so the wait is short.
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

QUERY = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
"""Kitty's graphics query, then the device attributes (DA1), in which 4 means Sixel"""

_DA1 = re.compile(rb"\x1b\[\?([\d;]*)c")
_WAIT, _WAIT_FAR = 0.2, 1.0
"""seconds to wait for the reply, locally and over SSH"""


def worth_asking(environment: Mapping[str, str]) -> bool:
    """Return whether real images may work: not inside tmux or screen, and not without colour.

    `TUI_LATENT_IMAGES=cells` turns them off for a terminal that claims support it lacks.
    """
    terminal = environment.get("TERM", "dumb")
    return not (
        environment.get("TUI_LATENT_IMAGES") == "cells"
        or "NO_COLOR" in environment
        or "TMUX" in environment
        or "STY" in environment
        or terminal.startswith(("dumb", "linux", "screen", "tmux"))
    )


def draws_images(reply: bytes) -> bool:
    """Return whether a terminal's reply to QUERY announces Kitty's graphics or Sixel."""
    attributes = _DA1.search(reply)
    return b"\x1b_Gi=31;OK" in reply or (
        attributes is not None and b"4" in attributes.group(1).split(b";")[1:]
    )


@contextmanager
def asking_for_images() -> Iterator[None]:
    """Send the query on entry; on exit, read the reply and enable real pixels if supported."""
    source, sink = sys.__stdin__, sys.__stdout__
    if not (source and sink and source.isatty() and sink.isatty() and worth_asking(os.environ)):
        yield
        return
    before = termios.tcgetattr(source.fileno())
    tty.setcbreak(source.fileno(), termios.TCSANOW)  # the reply is not to be echoed
    asked = time.monotonic()
    try:
        os.write(sink.fileno(), QUERY)
        yield
        far = "SSH_CONNECTION" in os.environ
        reply = _read_reply(source.fileno(), asked + (_WAIT_FAR if far else _WAIT))
    finally:
        termios.tcsetattr(source.fileno(), termios.TCSANOW, before)
    if draws_images(reply):
        from tui_latent.tui.charts.image_grid import use_real_pixels

        use_real_pixels()


def _read_reply(descriptor: int, until: float) -> bytes:
    """Read up to the end of the device attributes, or until the timeout."""
    reply = b""
    while not _DA1.search(reply):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            break
        reply += os.read(descriptor, 256)
    return reply
