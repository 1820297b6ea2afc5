"""How a terminal draws images, and that the viewer draws them in that way."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tui_latent.tui.charts.terminal_images import (
    Way,
    chosen_way,
    way_in_tmux,
    ways,
    worth_asking,
)

KITTY = b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.42.1)\x1b\\\x1b[?62;c"
SIXEL = b"\x1b[?62;4;22c"
XTERM = b"\x1b[?64;1;2;6;9;15;18;21;22c"
REFUSAL = b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1b[?62;22c"
WEZTERM = b"\x1b_Gi=31;OK\x1b\\\x1bP>|WezTerm 20240203\x1b\\\x1b[?65;4;6;18;22c"
ITERM2 = b"\x1bP>|iTerm2 3.5.10\x1b\\\x1b[?64;1;2;4;6;17;18;21;22c"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (KITTY, ["kitty", "cells"]),
        (SIXEL, ["sixel", "cells"]),
        (b"typed ahead" + SIXEL, ["sixel", "cells"]),
        (WEZTERM, ["sixel", "kitty", "cells"]),
        (ITERM2, ["iterm2", "sixel", "cells"]),
        (XTERM, ["cells"]),
        (REFUSAL, ["cells"]),
        (b"\x1b[?4c", ["cells"]),  # a VT132: the first number is the terminal's class
        (b"\x1b[?64;14;44c", ["cells"]),
        (b"", ["cells"]),
        (b"\x1b[?62;4", ["cells"]),
    ],
)
def test_a_reply_says_in_which_ways_images_are_drawn(reply: bytes, found: list[Way]) -> None:
    assert ways(reply, {}) == found


def test_iterm2_is_known_by_what_ssh_passes_on() -> None:
    assert ways(XTERM, {"LC_TERMINAL": "iTerm2"}) == ["iterm2", "cells"]
    assert ways(XTERM, {"TERM_PROGRAM": "iTerm.app"}) == ["iterm2", "cells"]


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


def test_a_way_may_be_chosen() -> None:
    assert chosen_way({"TUI_LATENT_IMAGES": "sixel"}) == "sixel"
    assert chosen_way({"TUI_LATENT_IMAGES": "nonsense"}) is None
    assert chosen_way({}) is None


@pytest.mark.parametrize(
    ("says", "way"),
    [
        ("on|xterm-kitty|kitty(0.42.1)\n", "tmux"),
        ("1|xterm-ghostty|ghostty 1.1.3\n", "tmux"),
        ("all|xterm-256color|kitty(0.42.1)\n", "tmux"),
        ("off|xterm-kitty|kitty(0.42.1)\n", "cells"),
        ("0|xterm-kitty|\n", "cells"),
        ("on|xterm-256color|WezTerm 20240203\n", "cells"),
        ("|xterm-kitty|\n", "cells"),  # a tmux that knows no such option
        ("on||\n", "cells"),  # detached
        ("", "cells"),
    ],
)
def test_tmux_passes_images_on_only_where_it_says_so(says: str, way: Way) -> None:
    assert way_in_tmux(says) == way


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "chosen", "drawn"),
    [
        ({b"\x1b[c": SIXEL}, "", rb"\x1bP0;0;0q"),
        ({b"\x1b[c": KITTY}, "", rb"\x1b_Ga=T,U=1,f=100,i=\d+,c=\d+,r=\d+,q=2,m=\d;"),
        ({b"\x1b[c": ITERM2}, "", rb"\x1b\]1337;File=inline=1;size=\d+;width=\d+;height=\d+"),
        ({}, "tmux", rb"\x1bPtmux;\x1b\x1b_Ga=T,U=1"),
    ],
    ids=["sixel", "kitty", "iterm2", "tmux"],
)
def test_where_a_terminal_can_the_viewer_draws_real_pixels(
    tmp_path: Path, answers: dict[bytes, bytes], chosen: str, drawn: bytes
) -> None:
    terminal = Terminal("--runs", str(tmp_path), answers=answers, TUI_LATENT_IMAGES=chosen)
    try:
        terminal.wait_for("two numbers per image")
        terminal.type("v")
        terminal.wait_for("view 1")
        terminal.wait_for_match(drawn)
        terminal.type("\x1b\x11")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not here")
def test_what_is_asked_of_a_real_tmux(tmp_path: Path) -> None:
    def tmux(*words: str) -> str:
        command = ["tmux", "-S", str(tmp_path / "socket"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    from tui_latent.tui.charts import terminal_images

    clean = {k: v for k, v in os.environ.items() if k != "TMUX"}
    command = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null", "new", "-d", "cat"]
    subprocess.run(command, env=clean, check=True)
    try:
        says = terminal_images._TMUX_SAYS
        assert re.fullmatch(r"(off|0|)\|.*\|.*\n", tmux("display-message", "-p", says))
        tmux("set", "-g", "allow-passthrough", "on")
        assert re.fullmatch(r"(on|1)\|.*\|.*\n", tmux("display-message", "-p", says))
    finally:
        tmux("kill-server")
