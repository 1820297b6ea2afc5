"""The question whether a terminal draws images, asked of terminals that answer in every way."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.waiting import patience
from tui_latent.tui.charts.terminal_images import QUERY, draws_images, worth_asking

KITTY = b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c"
SIXEL = b"\x1b[?62;4;22c"
XTERM = b"\x1b[?64;1;2;6;9;15;18;21;22c"
REFUSAL = b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1b[?62;22c"

ASK = """
import sys
from tui_latent.tui.charts.terminal_images import asking_for_images
with asking_for_images():
    pass
print("ready", "textual_image" in sys.modules, flush=True)
print("read", sys.stdin.readline().strip(), flush=True)
"""


@pytest.mark.parametrize(
    ("reply", "yes"),
    [
        (KITTY, True),
        (SIXEL, True),
        (b"typed ahead" + SIXEL, True),
        (XTERM, False),
        (REFUSAL, False),
        (b"\x1b[?4c", False),  # a VT132: the first number is the terminal's class
        (b"\x1b[?64;14;44c", False),
        (b"", False),
        (b"\x1b[?62;4", False),
    ],
)
def test_a_reply_says_whether_images_can_be_drawn(reply: bytes, yes: bool) -> None:
    assert draws_images(reply) is yes


@pytest.mark.parametrize(
    ("environment", "yes"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "SSH_CONNECTION": "a b"}, True),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "xterm-256color", "TMUX": "/tmp/tmux"}, False),
        ({"TERM": "xterm-256color", "STY": "1.pts"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm-kitty", "TUI_LATENT_IMAGES": "cells"}, False),
    ],
)
def test_only_terminals_that_could_be_able_are_asked(
    environment: dict[str, str], yes: bool
) -> None:
    assert worth_asking(environment) is yes


def ask(reply: bytes, **environment: str) -> tuple[bytes, bytes]:
    """Let a program ask a pty that answers with `reply`; return what it wrote before and after."""
    own, other = pty.openpty()
    mode = termios.tcgetattr(other)
    process = subprocess.Popen(
        [sys.executable, "-c", ASK],
        stdin=other,
        stdout=other,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    try:
        before = _read_until(own, QUERY if worth_asking(environment | {"TERM": "xterm"}) else b"")
        os.write(own, reply)
        asked = before + _read_until(own, b"\n")
        assert termios.tcgetattr(other) == mode
        os.write(own, b"typed later\n")
        after = _read_until(own, b"read typed later")
        process.wait(patience())
    finally:
        process.kill()
        process.wait()
        os.close(own)
        os.close(other)
    return asked, after


def _read_until(descriptor: int, end: bytes) -> bytes:
    """Read from a pty as far as `end`."""
    read = b""
    while end not in read:
        assert select.select([descriptor], [], [], patience())[0], read
        read += os.read(descriptor, 4096)
    return read


def test_a_terminal_with_plain_text_costs_no_import_and_keeps_its_mode() -> None:
    asked, after = ask(XTERM)
    assert asked.startswith(QUERY) and b"ready False" in asked
    assert b"[?64" not in asked + after  # the answer is neither echoed nor left to be read


def test_a_terminal_that_says_nothing_is_not_waited_for() -> None:
    asked, _ = ask(b"")
    assert b"ready False" in asked


def test_within_tmux_nothing_is_asked() -> None:
    asked, _ = ask(b"", TMUX="/tmp/tmux-0/default,1,0")
    assert QUERY not in asked and b"ready False" in asked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "drawn"),
    [
        ({b"\x1b[c": SIXEL}, b"\x1bP0;0;0q"),
        ({b"a=q": b"\x1b_Gi=31;OK\x1b\\", b"\x1b[c": b"\x1b[?62;c"}, b"\x1b_Ga=p,"),
    ],
    ids=["sixel", "kitty"],
)
def test_where_a_terminal_can_the_viewer_draws_real_pixels(
    tmp_path: Path, answers: dict[bytes, bytes], drawn: bytes
) -> None:
    terminal = Terminal("--runs", str(tmp_path), answers=answers)
    try:
        terminal.wait_for("two numbers per image")
        terminal.type("v")
        terminal.wait_for("view 1")
        terminal.wait_for_painted(drawn)
        terminal.type("\x1b\x11")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()
