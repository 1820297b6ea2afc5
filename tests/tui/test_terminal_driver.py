"""Whatever a terminal sends, the dashboard answers keys and the training in it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.tui.made_runs import new_run
from tests.waiting import Deadline, until
from tui_latent.runs.reader import RunReader

PROGRAM = """
import sys
from pathlib import Path
from tests.tui.made_runs import ScriptedTrainer
from tui_latent.runs.output_capture import captured_output
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.app import LatentApp

path = Path(sys.argv[1])
trainer = ScriptedTrainer(steps=10**6)

def train(path):
    with captured_output(RunWriter.reopen(path).log):
        return trainer(path)

class Trains(LatentApp):
    def on_ready(self):
        self.resume_run(path)

Trains(path.parent, train=train).run()
"""

HELP = "to close"
MEGABYTE = 1 << 20
UNBOUND = b"gYGW"
"""keys that the dashboard gives no meaning"""


@dataclass
class Trained:
    """A dashboard on a real terminal, and the run that trains in it."""

    terminal: Terminal
    run: Path

    def step(self) -> int:
        return RunReader(self.run).refresh().status.step

    def lives(self) -> None:
        """Check that a key is answered and that the training goes on."""
        step = self.step()
        self.terminal.type("?")
        self.terminal.wait_for(HELP)
        self.terminal.type("\x1b")
        deadline = Deadline()
        while HELP in self.terminal.screen() or self.step() <= step:
            assert not deadline.passed(), f"from step {step}:\n{self.terminal.screen()}"
            time.sleep(0.02)
        assert RunReader(self.run).refresh().status.state == "running"

    def fills(self, columns: int, lines: int) -> None:
        """Wait until the panels reach the right edge, and the footer is on the last line."""

        def filled() -> bool:
            rows = self.terminal.screen().split("\n")
            right = {row.rstrip()[-1:] for row in rows if len(row.rstrip()) == columns}
            return len(rows) == lines and "Pause" in rows[-1] and {"╮", "╯"} <= right

        until(filled, awaited=f"a screen of {columns}x{lines}")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    writer = new_run(tmp_path_factory.mktemp("runs"))
    writer.close()
    terminal = Terminal(str(writer.path), program=PROGRAM)
    try:
        terminal.wait_for("Latent map")
        terminal.wait_for("● running")
        yield Trained(terminal, writer.path)
    finally:
        terminal.close()


INPUTS = {
    "a Latin-1 letter": b"\xe9",
    "every byte that is no ASCII": bytes(range(128, 256)),
    "a character cut in two": b"\xe2\x82",
    "an overlong NUL and a surrogate": b"\xc0\x80\xed\xa0\x80",
    "a mouse report in bytes": b"\x1b[M\x20\xff\xe9\x1b[M\x23\xff\xe9",
    "a mouse report cut short": b"\x1b[M\x20",
    "NULs": b"\0" * 5000,
    "unknown sequences": b"\x1b[?62;4;22c\x1b[>41;354;0c\x1b[123;45;6z\x1b[!p\x1b[ q\x1b#8\x1b(B",
    "sequences cut short": b"\x1b[\x1b[<\x1b[<0;1\x1bO\x1b[200",
    "huge parameters": b"\x1b[" + b"9" * 100_000 + b";1m\x1b[99999999999999999999u\x1b[1;99999999A",
    "a surrogate as a key": b"\x1b[55296u\x1b[97;;55296u",
    "a key's release": b"\x1b[97;1:3u\x1b[1:2u",
    "a string of the terminal's": b"\x1b]11;rgb:0000/ssss/xxxx\x1b\\\x1bP>|xterm(370)\x1b\\",
    "a reply about graphics": b"\x1b_Gi=31;ENOTSUP:ssss xxxx\x1b\\",
    "a paste of no UTF-8": b"\x1b[200~\xe9\xff\x1b[201~",
    "an end of no paste": b"\x1b[201~",
    "a mouse far away": b"\x1b[<35;99999999999999;1M\x1b[<35;0;0M\x1b[<35;-5;-5M",
    "sizes of no screen": b"\x1b[?2048;2$y\x1b[48;0;0;0;0t\x1b[<35;5;5M\x1b[48;9999;100000;1;1t",
    "positions of the cursor": b"\x1b[1;1R\x1b[99999;99999R\x1b[?1;1R",
    "modes": b"\x1b[?2026;9$y\x1b[?2048;0$y\x1b[?99999;1$y",
}

FLOODS = {
    "a string without an end": b"\x1b]52;c;" + b"s" * MEGABYTE,
    "a paste": b"\x1b[200~" + b"sxq\r" * (MEGABYTE // 4) + b"\x1b[201~",
    "a paste without an end": b"\x1b[200~" + b"sxq\r" * (MEGABYTE // 4),
    "a paste without brackets": UNBOUND * (MEGABYTE // 4),
    "mouse moves": b"".join(b"\x1b[<35;%d;%dM" % (x % 130, x % 45) for x in range(20_000)),
    "mouse buttons": b"".join(b"\x1b[<2;%d;50M\x1b[<2;%d;50m" % (x, x) for x in range(1, 10_000)),
    "focus": b"\x1b[I\x1b[O" * 50_000,
    "arrows": b"\x1b[A\x1b[B" * 50_000,
}


@pytest.mark.parametrize("what", INPUTS)
def test_a_dashboard_and_its_training_outlive(trained: Trained, what: str) -> None:
    trained.terminal.send(INPUTS[what])
    time.sleep(0.7)  # a pause ends what has no end
    trained.lives()
    assert "Latent map" in trained.terminal.screen(), "it pressed a key"


@pytest.mark.slow
@pytest.mark.parametrize("what", FLOODS)
def test_a_dashboard_and_its_training_outlive_a_flood_of(trained: Trained, what: str) -> None:
    before = trained.terminal.memory
    trained.terminal.send(FLOODS[what])
    time.sleep(2.0)
    trained.lives()
    assert "Latent map" in trained.terminal.screen(), "it pressed a key"
    assert trained.terminal.memory < before + 100 * MEGABYTE


def test_the_last_key_of_a_flood_is_answered(trained: Trained) -> None:
    trained.terminal.send(UNBOUND * 25_000)
    trained.lives()


@pytest.mark.slow
def test_a_thousand_keys_a_second_are_heard_or_passed_over(trained: Trained) -> None:
    for _ in range(300):
        trained.terminal.send(UNBOUND * 2 + b"\x1b[A\x1b[B")
        time.sleep(0.01)
    trained.lives()


def test_a_storm_of_sizes_ends_at_the_last_one(trained: Trained) -> None:
    for columns in range(60, 160):
        trained.terminal.resize(columns, 20 + columns % 30)
    for columns, lines in ((1, 1), (0, 0), (65535, 65535)):
        trained.terminal.claim_size(columns, lines)
        time.sleep(0.5)
    trained.terminal.resize(120, 40)
    trained.fills(120, 40)
    trained.lives()


def test_the_system_says_how_large_the_screen_is_whatever_the_terminal_replies(
    trained: Trained,
) -> None:
    trained.terminal.send(b"\x1b[?2048;2$y\x1b[48;30;90;600;900t")
    trained.terminal.resize(100, 30)
    trained.fills(100, 30)
    trained.lives()
    trained.terminal.resize(120, 40)
    trained.fills(120, 40)
    trained.lives()


@pytest.mark.parametrize("data", [b"\x1b", b"\x1b" * 5000])
def test_escape_leads_to_the_menu_and_the_training_goes_on(trained: Trained, data: bytes) -> None:
    trained.terminal.send(data)
    trained.terminal.wait_for("Presets")
    time.sleep(0.7)
    trained.lives()
