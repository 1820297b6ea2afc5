from __future__ import annotations

import random
import subprocess
import sys

import pytest
from textual import events
from textual.message import Message

from tui_latent.tui.terminal_driver import gist
from tui_latent.tui.terminal_parser import LARGEST_SCREEN, LONGEST_PASTE, TerminalParser

WORDS = [
    b"\x1b", b"[", b"]", b"P", b"_", b"O", b"M", b"<", b"?", b";", b"$", b"\\", b"\x07", b"u", b"t",
    b"R", b"m", b"200~", b"201~", b"99999999999", b"48;0;0;0;0t", b"55296", b"\xe9", b"\xff", b"\0",
]  # fmt: skip


class Clock:
    """The time that a parser sees."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("textual._parser.get_time", clock)
    return clock


def told(parser: TerminalParser, data: bytes) -> list[Message]:
    return [*parser.feed(data.decode("latin-1")), *parser.tick()]


def after_a_pause(parser: TerminalParser, clock: Clock) -> list[Message]:
    clock.now += 60.0
    return list(parser.tick())


def keys(messages: list[Message]) -> list[str]:
    return [message.key for message in messages if isinstance(message, events.Key)]


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        (b"aB3?", ["a", "B", "3", "question_mark"]),
        ("é😀".encode(), ["é", "grinning_face"]),
        (
            b"\x1b[A\x1bOB\x1b[1;5C\x1b[3~\x1b[Z",
            ["up", "down", "ctrl+right", "delete", "shift+tab"],
        ),
        (b"\x1b[[A\x1b[3$\x1b[15~", ["f1", "shift+delete", "f5"]),
        (b"\x1bx\x1b\x1b[A", ["alt+x", "escape", "up"]),
        (b"\x1b[97u\x1b[13u", ["a", "enter"]),
        (b"a\xe9b", ["a", "replacement_character", "b"]),
        (b"\xe9\x1b[A", ["replacement_character", "up"]),
        (b"\x1b[M\x20\xc3\xa9q", ["q"]),
        (b"\x1b[?62;4;22cq\x1b[>41;354;0cq", ["q", "q"]),
        (b"\x1b]11;rgb:ss\x07q\x1b]11;ss\x1b\\q\x1bPss\x1b\\q\x1b_Gi=31;ss\x1b\\q", list("qqqq")),
        (b"\x1b[55296u\x1b[97;1:3u\x1b[9999999999uq", ["q"]),
        (b"\x1b[" + b"1" * 5000 + b"uq", ["q"]),
        (b"\x1b[1\x18q", ["q"]),
        (b"\x1b[1\x1b[Aq", ["up", "q"]),
        (b"\x1b[1;1Rq\x1b[?2026;2$yq\x1b[?2048;2$yq", list("qqq")),
    ],
)
def test_keys_are_keys_and_replies_are_none(clock: Clock, data: bytes, meant: list[str]) -> None:
    assert keys(told(TerminalParser(), data)) == meant


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        (b"\x1b", ["escape"]),
        (b"\xe9", ["replacement_character"]),
        (b"\x1bP", ["alt+shift+p"]),
        (b"\x1bO", ["alt+shift+o"]),
        (b"\x1b[1;", []),
        (b"\x1b[M ", []),
        (b"\x1b]52;c;ssss", []),
        (b"\x1b[200~sss", []),
    ],
)
def test_after_a_pause_what_has_no_end_is_over(clock: Clock, data: bytes, meant: list[str]) -> None:
    parser = TerminalParser()
    told(parser, data)
    assert keys(after_a_pause(parser, clock)) == meant
    assert keys(told(parser, b"q")) == ["q"]


def pasted(messages: list[Message]) -> list[str]:
    return [message.text for message in messages if isinstance(message, events.Paste)]


def test_a_paste_is_text_of_bounded_length_without_controls(clock: Clock) -> None:
    parser = TerminalParser()
    assert pasted(told(parser, "\x1b[200~é\x00\x1b[A\nb\x1b[201~".encode())) == ["é[A\nb"]
    (long,) = pasted(told(parser, b"\x1b[200~" + b"x" * 3 * LONGEST_PASTE + b"\x1b[201~"))
    assert long == "x" * LONGEST_PASTE
    told(parser, b"\x1b[200~cut short")
    assert pasted(after_a_pause(parser, clock)) == ["cut short"]


def test_a_mouse_is_on_the_screen_and_its_size_is_not_the_terminals_to_say(clock: Clock) -> None:
    parser = TerminalParser()
    assert not told(parser, b"\x1b[48;0;0;0;0t\x1b[48;100000;100000;1;1t")
    far = b"\x1b[<35;%d;1M\x1b[<35;1;%dM" % (LARGEST_SCREEN[0] + 1, LARGEST_SCREEN[1] + 1)
    assert not told(parser, far)
    (moved,) = told(parser, b"\x1b[<35;6;3M")
    assert isinstance(moved, events.MouseMove) and (moved.x, moved.y) == (5, 2)


ENDLESS = """
import sys, tracemalloc
from tui_latent.tui.terminal_parser import TerminalParser

parser = TerminalParser()
start = bytes.fromhex(sys.argv[1]).decode("latin-1")
told = [*parser.feed(start), *parser.tick()]
tracemalloc.start()
for _ in range(50):
    assert not [*parser.feed("1" * 4096), *parser.tick()]
print(tracemalloc.get_traced_memory()[1])
"""
"""in a process of its own: what other threads allocate would be counted, too"""


@pytest.mark.slow
@pytest.mark.parametrize("start", [b"\x1b]52;c;", b"\x1b[200~", b"\x1b[", b"\x1bP", b"\x1b[?"])
def test_what_has_no_end_takes_no_memory(start: bytes) -> None:
    command = [sys.executable, "-c", ENDLESS, start.hex()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1 << 18


@pytest.mark.slow
def test_random_bytes_raise_nothing_and_a_key_after_them_is_heard(clock: Clock) -> None:
    choice = random.Random(0)
    parser = TerminalParser()
    for _ in range(1500):
        if choice.random() < 0.5:
            data = choice.randbytes(choice.randrange(1, 200))
        else:
            data = b"".join(choice.choices(WORDS, k=choice.randrange(1, 40)))
        for message in (*told(parser, data), *after_a_pause(parser, clock)):
            assert not isinstance(message, events.Resize), data
            if isinstance(message, events.Key):
                f"{message.key}{message.character}".encode()
        assert keys(told(parser, b"q")) == ["q"], data


def test_the_gist_of_a_flood_keeps_what_begins_and_ends_and_the_last_bytes() -> None:
    block = b"s" * 1000 + b"\x1b[201~" + b"q" * 1000 + b"\x1b]" + b"s" * 1000 + b"\x07" + b"k" * 99
    assert gist(block) == b"\x1b[201~\x1b]\x07" + b"k" * 64
    assert gist(b"\x1b[201~" + b"k" * 60) == b"\x1b[201~" + b"k" * 60
