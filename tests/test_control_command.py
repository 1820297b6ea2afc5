"""`tui-latent control`: what it asks of a run, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui_latent.cli.main import main
from tui_latent.config.presets import load_preset
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
    assert "ended is stopped: no process is training it" in output
    assert f"tui-latent resume {tmp_path / 'ended'}" in output
    assert control(writer.path, "lr", "0.5")[0] == 0  # for when it is resumed
    assert read_request(writer.path).lr_factor == 0.5


def tune(run: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["tune", str(run), *words])
    return result.exit_code, result.output


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[RunWriter]:
    preset = load_preset("digits-contrastive-2d", {"stages": [], "train.lr": 0.004})
    writer = RunWriter.create(tmp_path, "digits", preset.model_dump(mode="json"), {}, "live")
    writer.lock()
    writer.status(state="running", step=500, total_steps=1000, total_epochs=10)
    yield writer
    writer.close()


def test_settings_are_asked_for_and_what_they_come_to_is_reported(trained: RunWriter) -> None:
    code, output = tune(trained.path, "train.lr=0.001", "augment.noise=0.125")
    assert code == 0
    assert output.startswith(
        "live: train.lr 0.004 → 0.001, augment.noise 0 → 0.125 from the next step on; "
        "the next step's learning rate is 0.000"
    ) or output.startswith("live: augment.noise 0 → 0.125, train.lr 0.004 → 0.001")
    asked = read_request(trained.path).settings
    assert {key: wanted.value for key, wanted in asked.items()} == {
        "train.lr": 0.001,
        "augment.noise": 0.125,
    }
    assert all("@" in wanted.who for wanted in asked.values())
    code, output = tune(trained.path, "train.lr=0.001")  # before the trainer has answered
    assert code == 2 and "has this value already" in output


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("train.lr=-1", "greater than 0"),
        ("train.lr", "key=value"),
        ("train.epochs=3", "is fixed while the run trains"),
        ("stages.0.lr=1", "this preset has no stages: set train.lr"),
    ],
)
def test_what_cannot_be_tuned_is_wrong_usage(trained: RunWriter, word: str, sentence: str) -> None:
    code, output = tune(trained.path, word)
    assert (code, sentence in output) == (2, True)
    assert read_request(trained.path).settings == {}


def test_a_finished_run_is_to_be_forked(trained: RunWriter) -> None:
    trained.status(state="finished")
    code, output = tune(trained.path, "train.lr=0.001")
    assert code == 1 and f"tui-latent fork {trained.path}" in output


def test_a_run_without_a_checkpoint_cannot_be_forked(trained: RunWriter) -> None:
    result = CliRunner().invoke(main, ["fork", str(trained.path)])
    assert result.exit_code == 2
    assert result.output == "tui-latent: live has no checkpoint yet: train it first\n"


def test_a_finished_run_is_not_retried(trained: RunWriter) -> None:
    trained.status(state="finished")
    trained.close()
    result = CliRunner().invoke(main, ["resume", str(trained.path), "--slower"])
    assert result.exit_code == 1
    assert "is finished: there is nothing to retry" in result.output
