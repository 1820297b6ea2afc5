"""A terminal on a slow line shows what is so now, not what was so a minute ago."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from rich.console import RenderableType
from textual._compositor import ChopsUpdate
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tests.terminal import Terminal
from tests.waiting import until
from tui_latent.tui.line_pace import ANSWER, LOST, QUESTION, LinePace
from tui_latent.tui.paced_app import PacedApp

PROGRAM = """
import random

from textual.widgets import Static

from tui_latent.tui.paced_app import PacedApp
from tui_latent.tui.terminal_driver import TerminalDriver

class Busy(PacedApp):
    count = 0

    def get_driver_class(self):
        return TerminalDriver

    def compose(self):
        yield Static(id="noise", markup=False)
        yield Static("count 0", id="count")

    def on_mount(self):
        self.timer = self.set_interval(0.02, self.work)

    def work(self):
        self.count += 1
        noise = "".join(random.choices("abcdefgh", k=1500))
        self.query_one("#noise", Static).update(noise)
        self.query_one("#count", Static).update(f"count {self.count}")

    def on_key(self, event):
        self.timer.stop()
        if event.key == "q":
            self.exit()
        self.query_one("#count", Static).update("at rest")

Busy().run()
"""
GIVEN_BACK = b"\x1b[?1049l"
ANSWERS = {QUESTION.encode(): ANSWER.encode()}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def asked(pace: LinePace, clock: Clock, took: float) -> None:
    """Send a frame whose answer takes some seconds."""
    assert pace.ask()
    clock.now += took
    pace.answered()


def test_a_terminal_that_does_not_answer_is_asked_once_and_never_behind() -> None:
    pace = LinePace(clock := Clock())
    assert pace.ask()
    for _ in range(100):
        assert not pace.ask()
        assert not pace.behind()
        clock.now += 1
    assert pace.unanswered == 0


def test_a_slow_line_gets_one_frame_at_a_time() -> None:
    pace = LinePace(clock := Clock())
    asked(pace, clock, took=0.02)
    for _ in range(5):
        assert not pace.behind()
        asked(pace, clock, took=1.0)
    assert pace.ask()
    assert pace.behind()
    pace.answered()
    assert not pace.behind()


def test_a_long_line_has_several_frames_underway() -> None:
    """Answers take 300 ms, as over a satellite: the line is far, not slow."""
    pace, sent, answered = LinePace(clock := Clock()), list[float](), 0
    for tick in range(300):  # 100 a second
        clock.now = 100 + tick / 100
        while sent and clock.now - sent[0] >= 0.3:
            sent.pop(0)
            pace.answered()
            answered += 1
        if not pace.behind() and pace.ask():
            sent.append(clock.now)
    assert len(sent) > 5
    assert answered > 30


def test_an_answer_that_was_lost_does_not_stop_the_screen() -> None:
    pace = LinePace(clock := Clock())
    asked(pace, clock, took=0.02)
    assert pace.ask() and pace.ask()
    clock.now += LOST - 0.1
    assert pace.behind()
    clock.now += 0.2
    assert not pace.behind()
    assert pace.unanswered == 0
    pace.answered()  # it comes after all
    assert not pace.behind()


@pytest.fixture
def slow() -> Iterator[Terminal]:
    """An application that paints far more than its line of 10 kB a second carries."""
    terminal = Terminal(program=PROGRAM, answers=ANSWERS, rate=10_000)
    try:
        terminal.wait_for("count")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.slow
def test_a_slow_line_never_has_more_than_a_moment_underway(slow: Terminal) -> None:
    most, end = 0, time.monotonic() + 3
    while time.monotonic() < end:
        most = max(most, len(slow.underway))
        time.sleep(0.01)
    assert most < 30_000  # without a limit it is about 75 kB more with every second
    shown = slow.screen()
    until(lambda: slow.screen() != shown, awaited="another frame")
    slow.type("x")
    slow.wait_for("at rest")


@pytest.mark.slow
def test_no_answer_is_left_to_the_shell(slow: Terminal) -> None:
    until(lambda: slow.answered > 3, awaited="answers")
    until(lambda: QUESTION.encode() in slow.underway, awaited="a question")
    slow.type("q")
    seen = b""

    def given_back() -> bool:
        nonlocal seen
        seen = slow.underway
        return GIVEN_BACK in seen + slow.painted

    until(given_back, awaited="the end")
    assert QUESTION.encode() not in seen
    assert slow.wait_for_end() == 0


class Two(PacedApp[None]):
    """Two lines; what was sent of each is noted."""

    def compose(self) -> ComposeResult:
        yield Static("a", id="first")
        yield Static("b", id="second")

    def on_mount(self) -> None:
        self.sent: set[int] = set()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate):
            self.sent |= {line for line, *_ in renderable.spans}
        super()._display(screen, renderable)


async def change_undrawn(app: Two) -> None:
    """Change both lines, and return before the frame that shows them."""
    for count in range(1000):
        for widget in app.query(Static):
            widget.update(f"{count}")
        for _ in range(20):
            if len(app.screen._dirty_widgets) == 2:
                return
            await asyncio.sleep(0)
    raise AssertionError("every change was drawn at once")


async def test_an_answer_does_not_lose_what_changed_just_before_it() -> None:
    app = Two()
    async with app.run_test() as pilot:
        await pilot.pause()
        await change_undrawn(app)
        app.sent.clear()
        app._draw_kept()
        await pilot.pause()
        assert app.sent == {0, 1}
