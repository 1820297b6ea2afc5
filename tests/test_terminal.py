"""The dashboard on a real pseudo-terminal, driven by keys from menu to report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.terminal import Terminal
from tests.tui.made_runs import running, trained_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.writer import RunWriter

LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOWED_CURSOR = b"\x1b[?25h"


@contextmanager
def dashboard(runs: Path, columns: int = 120, lines: int = 40) -> Iterator[Terminal]:
    terminal = Terminal("--runs", str(runs), columns=columns, lines=lines)
    try:
        yield terminal
    finally:
        terminal.close()


def only_run(runs: Path) -> Path:
    (path,) = [folder for folder in runs.iterdir() if folder.is_dir()]
    return path


@pytest.mark.slow
def test_from_menu_to_report_and_out(tmp_path: Path) -> None:
    with dashboard(tmp_path) as terminal:
        terminal.wait_for("digits-contrastive-2d")
        terminal.wait_for("two numbers per image")
        terminal.type("\r")
        terminal.wait_for("● running")
        terminal.wait_for("359 held-out images")
        terminal.type(" ")
        terminal.wait_for("paused")
        terminal.type(" ")
        terminal.wait_for("● running")
        terminal.type("s")
        terminal.wait_for("y  Stop")
        terminal.type("y")
        terminal.wait_for("stopped")
        terminal.type("x")
        terminal.wait_for(".png")
        terminal.type("v")
        terminal.wait_for("draw 1")
        terminal.type("\x1b")
        terminal.wait_for("Latent map")
        terminal.type("q")
        terminal.wait_for("■ stopped", "stopped ")
        terminal.type("\x11")
        assert terminal.wait_for_end() == 0
    assert LEFT_ALTERNATE_SCREEN in terminal.painted
    assert SHOWED_CURSOR in terminal.painted
    snapshot = RunReader(only_run(tmp_path)).refresh()
    assert snapshot.status.state == "stopped"
    assert snapshot.status.checkpoint_step == snapshot.status.step
    (png,) = snapshot.reports
    assert png.read_bytes().startswith(b"\x89PNG")
    assert json.loads(png.with_suffix(".json").read_text())


@pytest.mark.slow
def test_quitting_while_training_asks_then_saves_and_leaves_the_terminal_clean(
    tmp_path: Path,
) -> None:
    with dashboard(tmp_path, columns=80, lines=24) as terminal:
        terminal.wait_for("digits-contrastive-2d")
        terminal.type("\r")
        terminal.wait_for("running")
        terminal.wait_for("% hidden")
        terminal.resize(70, 22)
        terminal.wait_for("% hidden")
        terminal.type("\x11")
        terminal.wait_for("Stop and quit")
        terminal.type("y")
        assert terminal.wait_for_end() == 0
    assert LEFT_ALTERNATE_SCREEN in terminal.painted
    status = RunReader(only_run(tmp_path)).refresh().status
    assert status.state == "stopped"
    assert status.checkpoint_step == status.step


def test_a_terminal_too_small_says_so_until_it_grows(tmp_path: Path) -> None:
    with dashboard(tmp_path, columns=50, lines=12) as terminal:
        assert "Presets" not in terminal.wait_for("needs 60x20 cells but has 50x12")
        terminal.resize(80, 24)
        terminal.wait_for("digits-contrastive-2d")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TERM": "dumb"}, "a terminal with a cursor, but TERM is 'dumb'"),
        ({"TERM": ""}, "a terminal with a cursor, but TERM is ''"),
        (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            "export LC_ALL=C.UTF-8",
        ),
    ],
)
def test_a_terminal_that_cannot_show_the_dashboard_gets_a_sentence(
    tmp_path: Path, environment: dict[str, Any], words: str
) -> None:
    terminal = Terminal("--runs", str(tmp_path), columns=100, **environment)
    try:
        assert terminal.wait_for_end() == 2
        assert words in " ".join(terminal.screen().split())
        assert "tui-latent train PRESET" in terminal.screen()
    finally:
        terminal.close()
    assert b"\x1b" not in terminal.painted


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "screen"}])
def test_without_colour_or_with_few_the_dashboard_opens(
    tmp_path: Path, environment: dict[str, Any]
) -> None:
    terminal = Terminal("--runs", str(tmp_path), columns=80, lines=24, **environment)
    try:
        terminal.wait_for("digits-contrastive-2d")
        terminal.type("\x11")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()
    assert LEFT_ALTERNATE_SCREEN in terminal.painted


def test_a_locale_without_a_sign_does_not_end_a_command(tmp_path: Path) -> None:
    RunWriter.create(tmp_path, "digits", {}, {}, "run").close()
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1:strict"}
    command = [str(Path(sys.executable).with_name("tui-latent")), "runs", "--runs", str(tmp_path)]
    told = subprocess.run(
        command, env=latin, capture_output=True, encoding="latin-1", check=True
    ).stdout
    assert "run" in told and "kNN@20" in told


def sent_until_quiet(terminal: Terminal, awaited: bytes = b"") -> bytes:
    """Return what comes until `awaited` has come and then nothing more for a second."""
    start = before = len(terminal.painted)
    for _ in range(60):
        time.sleep(1.0)
        terminal.screen()
        sent = terminal.painted[start:]
        if len(terminal.painted) == before and awaited in sent:
            return sent
        before = len(terminal.painted)
    raise AssertionError(f"it never stops sending, or never sends {awaited!r}: {sent[-2000:]!r}")


def attached(writer: RunWriter) -> Terminal:
    """Return a dashboard on a run, without the panel that changes with the machine's load."""
    runs = writer.path.parent
    config = runs / "config.toml"
    config.write_text('panels = ["map", "loss", "knn", "space", "log"]')
    return Terminal("attach", writer.path.name, "--runs", str(runs), TUI_LATENT_CONFIG=str(config))


def test_only_what_changes_is_sent(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    terminal = attached(writer)
    try:
        terminal.wait_for("held-out images")
        terminal.wait_for("checkpoint at step 700")
        sent_until_quiet(terminal)
        terminal.type("\t")
        sent_until_quiet(terminal, b"InfoNCE")
        assert b"checkpoint at step 700" in terminal.painted
        terminal.type("\t")
        moved = sent_until_quiet(terminal, b"kNN acc")
        assert b"Latent map" not in moved, "only the panels that lose and get the focus"
        assert len(moved) < len(terminal.painted) / 4
        running(writer, step=900, epoch=15.0)
        went_on = sent_until_quiet(terminal, b"15/40")
        assert b"checkpoint at" not in went_on, "the log is as it was"
        assert not sent_until_quiet(terminal), "at rest"
    finally:
        terminal.close()
        writer.close()


def test_behind_a_dialog_only_what_changes_is_sent(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    terminal = attached(writer)
    try:
        terminal.wait_for("checkpoint at step 700")
        sent_until_quiet(terminal)
        terminal.type("?")
        terminal.wait_for("to close")
        sent_until_quiet(terminal)
        running(writer, step=900, epoch=15.0)
        sent = sent_until_quiet(terminal)  # the help covers most of the header
        assert len(sent) < len(terminal.painted) / 10, "the map is as it was"
    finally:
        terminal.close()
        writer.close()


def test_keys_that_follow_at_once_reach_the_list_behind_the_filter(tmp_path: Path) -> None:
    with dashboard(tmp_path) as terminal:
        terminal.wait_for("two numbers per image")
        sent_until_quiet(terminal)
        terminal.type("/")
        for letter in "digits-triplet":
            time.sleep(0.05)
            terminal.type(letter)
        terminal.wait_for("─ digits-triplet-2d ─")
        terminal.type("\r\r")
        terminal.wait_for("● running", "starting")
    assert "digits-triplet-2d" in only_run(tmp_path).name


def test_keys_that_come_in_one_piece_mean_what_they_mean_one_by_one(tmp_path: Path) -> None:
    with dashboard(tmp_path) as terminal:
        terminal.wait_for("two numbers per image")
        terminal.type("/digits-triplet\r\r")
        terminal.wait_for("● running", "starting")
    assert "digits-triplet-2d" in only_run(tmp_path).name


def test_what_comes_before_the_first_frame_does_not_end_the_dashboard(tmp_path: Path) -> None:
    with dashboard(tmp_path) as terminal:
        for _ in range(40):
            terminal.send(b"\xe9\xff\x1b[<0;5;5M\x1b[I\x1b]11;s\x07\x1b[200~s\x1b[201~j")
            time.sleep(0.05)
        terminal.wait_for("digits-contrastive-2d")
        terminal.type("\x11")
        assert terminal.wait_for_end() == 0
