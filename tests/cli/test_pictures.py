"""The doctor's test pictures: one in each way that the terminal has."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.terminal import Terminal
from tui_latent.cli.doctor import _colors, _images
from tui_latent.cli.pictures import drawings, picture
from tui_latent.tui.terminal_query import Answers


def test_the_picture_has_every_hue_and_a_chequered_end() -> None:
    shown = picture(12, 32)
    assert (shown[..., 3] == 255).all()
    assert len({tuple(pixel) for pixel in shown[0, :24, :3].tolist()}) == 24
    end = shown[:, 24:, 0]
    assert set(np.unique(end)) == {0, 255} and (end[:, 1:] != end[:, :-1]).all()


def test_every_way_is_drawn_and_the_first_is_the_one_used() -> None:
    found = list(drawings(["iterm2", "sixel", "kitty", "tmux", "cells"], True, False))
    names = [name for name, _ in found]
    assert names[0] == "iTerm2's protocol · used by the dashboard"
    assert not any("used" in name for name in names[1:])
    starts = ("\x1b]1337;File=", "\x1bP0;0;0q", "\x1b_Ga=T,U=1", "\x1bPtmux;\x1b\x1b_G", "▀")
    for (_, drawing), start in zip(found, starts, strict=True):
        assert start in drawing


def test_without_colour_the_picture_has_shades() -> None:
    [(name, drawing)] = drawings(["cells"], False, False)
    assert "no colour" in name and "█" in drawing and "\x1b[38" not in drawing


def test_the_doctor_says_what_is_used_and_what_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _images(Answers(ways=["sixel", "cells"])) == "Sixel, half-blocks"
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    assert "allow-passthrough on" in _images(Answers())
    monkeypatch.setenv("TUI_LATENT_IMAGES", "cells")
    assert "chosen by TUI_LATENT_IMAGES" in _images(Answers())
    monkeypatch.setenv("NO_COLOR", "1")
    assert _colors() == "none (NO_COLOR is set)"


@pytest.mark.slow
def test_the_doctor_draws_what_its_terminal_can() -> None:
    reply = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;c"
    terminal = Terminal("doctor", answers={b"\x1b[c": reply}, lines=80)
    try:
        assert terminal.wait_for_end() == 0
        printed = terminal.painted.decode()
        assert re.search(r"background +light", printed)
        assert re.search(r"images +Kitty's protocol, half-blocks", printed)
        assert "\x1b_Ga=T,U=1" in printed and "▀" in printed
    finally:
        terminal.close()
