"""`tui-latent control`: what it asks of a run, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui_latent.cli.main import main
from tui_latent.runs.control import read_request
from tui_latent.runs.writer import RunWriter


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Path]:
    writer = RunWriter.create(tmp_path, "digits", {}, {}, "live")
    writer.lock()
    writer.status(state="running")
    yield writer.path
    writer.close()


def control(run: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["control", str(run), *words])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("word", "state"), [("pause", "pause"), ("resume", "run"), ("stop", "stop")]
)
def test_a_state_is_asked_for(live: Path, word: str, state: str) -> None:
    assert control(live, word) == (0, f"live: {word} requested\n")
    assert read_request(live).state == state


def test_a_checkpoint_and_a_learning_rate_add_to_what_was_asked(live: Path) -> None:
    assert control(live, "pause")[0] == 0
    assert control(live, "checkpoint")[0] == 0
    assert control(live, "lr", "0.5") == (0, "live: learning rate × 0.5 requested\n")
    asked = read_request(live)
    assert (asked.state, asked.checkpoints, asked.lr_factor) == ("pause", 1, 0.5)


@pytest.mark.parametrize("words", [("lr",), ("pause", "2"), ("lr", "0"), ("lr", "nan")])
def test_a_factor_that_is_none_is_wrong_usage(live: Path, words: tuple[str, ...]) -> None:
    code, output = control(live, *words)
    assert code == 2
    assert output.startswith("tui-latent: ") and output.count("\n") == 1
    assert read_request(live).serial == 0


def test_a_run_that_nobody_trains_is_asked_nothing(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path, "digits", {}, {}, "ended")
    writer.status(state="stopped")
    writer.close()
    code, output = control(writer.path, "resume")
    assert code == 1
    assert "ended is stopped: no process trains it" in output
    assert "tui-latent resume ended" in output
    assert control(writer.path, "lr", "0.5")[0] == 0  # for when it is resumed
    assert read_request(writer.path).lr_factor == 0.5
