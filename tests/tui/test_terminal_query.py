"""What is asked of a terminal before the screen opens: nothing typed meanwhile is lost."""

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
from tui_latent.tui.color_depth import color_depth
from tui_latent.tui.terminal_query import is_light, light_by_variable, may_be_asked, questions

DA1 = b"\x1b[?64;1;2;6;9;15;18;21;22c"
WHITE = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
BLACK = b"\x1b]11;rgb:0000/0000/0000\x07"

ASK = """
import sys
from tui_latent.tui.terminal_query import asking_the_terminal
with asking_the_terminal() as answers:
    pass
print("ready", answers.light, answers.ways, answers.typed, flush=True)
print("read", sys.stdin.readline().strip(), flush=True)
"""


@pytest.mark.parametrize(
    ("reply", "light"),
    [
        (WHITE, True),
        (BLACK, False),
        (b"abc" + WHITE + DA1, True),
        (b"\x1b]11;rgb:fdfd/f6f6/e3e3\x07", True),  # Solarized light
        (b"\x1b]11;rgb:00/2b/36\x1b\\", False),  # Solarized dark, two digits each
        (b"\x1b]11;rgba:ffff/ffff/ffff/ffff\x1b\\", True),
        (b"\x1b]11;rgb:f/f/f\x07", True),
        (b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\", None),
        (b"\x1b]11;?\x1b\\", None),
        (DA1, None),
        (b"", None),
    ],
)
def test_a_reply_says_how_light_the_background_is(reply: bytes, light: bool | None) -> None:
    assert is_light(reply) is light


@pytest.mark.parametrize(
    ("value", "light"),
    [
        ("0;15", True),
        ("0;7", True),
        ("15;0", False),
        ("0;default;15", True),
        ("", None),
        ("x", None),
    ],
)
def test_a_variable_says_it_where_no_reply_does(value: str, light: bool | None) -> None:
    assert light_by_variable({"COLORFGBG": value}) is light


def test_a_console_is_asked_nothing() -> None:
    assert not may_be_asked({"TERM": "linux"}) and not may_be_asked({})
    assert may_be_asked({"TERM": "tmux-256color"})
    assert questions({"TERM": "tmux-256color"}) == b"\x1b]11;?\x1b\\\x1b[c"
    assert b"\x1b_G" in questions({"TERM": "xterm-256color"})


@pytest.mark.parametrize(
    ("environment", "depth"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "24-bit"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "24-bit"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-kitty"}, "24-bit"),  # as SSH passes it on
        ({"TERM": "xterm-direct"}, "24-bit"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "xterm-kitty", "NO_COLOR": ""}, "none"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "none"),
    ],
)
def test_the_depth_of_colour_is_read_from_the_environment(
    environment: dict[str, str], depth: str
) -> None:
    assert color_depth(environment) == depth


def ask(reply: bytes, **environment: str) -> tuple[str, bytes]:
    """Let a program ask a pty that answers with `reply`; return its answers and all it wrote."""
    own, other = pty.openpty()
    mode = termios.tcgetattr(other)
    surroundings = {**os.environ, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(
        [sys.executable, "-c", ASK],
        stdin=other,
        stdout=other,
        stderr=subprocess.DEVNULL,
        env=surroundings,
    )
    try:
        asked = may_be_asked(surroundings)
        before = _read_until(own, questions(surroundings) if asked else b"")
        os.write(own, reply)
        written = before + _read_until(own, b"]")
        while b"\n" not in written[written.index(b"ready") :]:
            written += _read_until(own, b"\n")
        assert termios.tcgetattr(other) == mode
        os.write(own, b"typed later\n")
        written += _read_until(own, b"read typed later")
        process.wait(patience())
    finally:
        process.kill()
        process.wait()
        os.close(own)
        os.close(other)
    return written[written.index(b"ready") :].split(b"\r\n")[0].decode(), written


def _read_until(descriptor: int, end: bytes) -> bytes:
    """Read from a pty as far as `end`."""
    read = b""
    while end not in read:
        assert select.select([descriptor], [], [], patience())[0], read
        read += os.read(descriptor, 4096)
    return read


def test_replies_are_neither_echoed_nor_left_to_be_read() -> None:
    answers, written = ask(WHITE + DA1)
    assert answers == "ready True ['cells'] b''"
    assert b"[?64" not in written and b"rgb:" not in written


def test_keys_typed_among_the_replies_are_kept_in_order() -> None:
    answers, _ = ask(b"ab" + BLACK + b"\x1b[A" + b"\x1b_Gi=31;OK\x1b\\" + b"c" + DA1)
    assert answers == "ready False ['kitty', 'cells'] b'ab\\x1b[Ac'"


def test_a_terminal_that_says_nothing_is_not_waited_for() -> None:
    answers, _ = ask(b"", COLORFGBG="0;15")
    assert answers == "ready True ['cells'] b''"


def test_half_a_reply_goes_on_to_who_reads_next() -> None:
    answers, _ = ask(b"x\x1b]11;rgb:ff")
    assert answers == "ready None ['cells'] b'x\\x1b]11;rgb:ff'"


def test_within_tmux_only_the_background_is_asked() -> None:
    answers, written = ask(WHITE + DA1, TMUX="/nowhere,1,0", TERM="tmux-256color")
    assert answers == "ready True ['cells'] b''" and b"\x1b_G" not in written


def test_under_a_pipe_nothing_is_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK], input=b"typed\n", capture_output=True, check=True
    )
    assert done.stdout.startswith(b"ready None ['cells'] b''") and b"\x1b" not in done.stdout


@pytest.mark.slow
def test_keys_typed_before_the_screen_opens_are_pressed_in_it(tmp_path: Path) -> None:
    terminal = Terminal("--runs", str(tmp_path), answers={b"\x1b[c": b"?" + WHITE + DA1})
    try:
        terminal.wait_for("Quit tui-latent")
        terminal.type("\x1b\x11")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()


@pytest.mark.slow
def test_a_light_terminal_gets_the_light_theme(tmp_path: Path) -> None:
    terminal = Terminal("--runs", str(tmp_path), answers={b"\x1b[c": WHITE + DA1})
    try:
        terminal.wait_for("two numbers per image")
        backgrounds = [cell.bg for cell in terminal.row(5)]
        assert all(int(color[:2], 16) > 0x80 for color in backgrounds if len(color) == 6)
        terminal.type("\x11")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()
